"""Recognising sensors by moving them: all stream, one after the other is moved."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from rich.console import Console

from analytics.moved_sensor import Liveliness, Verdict, judge
from firmware_protocol.errors import ProtocolError
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.hipline_link import HiplineLink
from sensor_bridge.commands.sensor_access import connected, sensor_found, step
from sensor_bridge.commands.watch_words import placement_words, printable
from sensor_bridge.errors import BridgeError, LinkLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from analytics.imu import Placement
    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.ble.link import SensorLink
    from sensor_bridge.config import Config

_LOOK_S: Final = 0.25
_CONVINCED: Final = 3  # looks in a row with the same answer
_UNCLEAR: Final = 12  # looks in a row with several that move
_PATIENCE_S: Final = 60.0
_REST_S: Final = 20.0


class _Streaming:
    """One connected sensor, how it is called, and how lively it is."""

    def __init__(self, link: SensorLink, found: Found) -> None:
        self.address = found.sighting.address
        self.name = printable(f"{found.sighting.name or 'sensor'} ({self.address})")
        self._link = link
        self._liveliness: Liveliness | None = None
        self._following = asyncio.create_task(self._follow())

    def liveliness(self) -> float:
        """Tell how lively it is; 0 before it has sent enough.

        Raises
        ------
        LinkLost
            It sends no more.
        """
        if self._following.done():
            self._following.result()
            raise LinkLost(f"{self.name}: the link was lost; begin again")
        return (self._liveliness and self._liveliness.value) or 0.0

    async def end(self) -> None:
        """Take no more, and end the stream."""
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        if isinstance(self._link, HiplineLink):
            with contextlib.suppress(BridgeError):  # it is not needed any more
                await self._link.stop()

    async def _follow(self) -> None:
        decoder = FrameDecoder()
        async for received in self._link.frames():
            with contextlib.suppress(ProtocolError):  # one garbled packet changes no answer
                for run in decoder.push(received):
                    if self._liveliness is None:
                        self._liveliness = Liveliness(run.sampling_rate_hz)
                    self._liveliness.push(run.acc_m_s2, run.gyr_rad_s)


async def recognise(
    adapter: Adapter, heard: Sequence[Found], placements: Iterable[Placement], config: Config
) -> dict[Placement, str]:
    """Ask the user to move one sensor after the other, and tell them apart.

    Parameters
    ----------
    adapter
        The radio.
    heard
        The sensors that could be meant; all are connected.
    placements
        What to ask for, in this order.
    config
        What sensors are asked for when they stream.

    Returns
    -------
    dict[Placement, str]
        Address of the sensor of each placement.

    Raises
    ------
    BridgeError
        A sensor does not stream, or for too long nothing was moved, or several at once.
    """
    async with _all_streaming(adapter, heard, config) as sensors:
        recognised: dict[Placement, str] = {}
        for placement in placements:
            if recognised:
                await _rest(sensors)
            where = "hip" if placement == "pelvis" else placement_words(placement)
            _say(f"Move the one for your {where}: shake it for a second or two, the others lie still.")
            moved = await _moved(sensors, {address: str(each) for each, address in recognised.items()})
            recognised[placement] = moved
            _say(f"  {sensors[moved].name} it is. Put it down.")
        return recognised


@contextlib.asynccontextmanager
async def _all_streaming(
    adapter: Adapter, heard: Sequence[Found], config: Config
) -> AsyncIterator[dict[str, _Streaming]]:
    async with contextlib.AsyncExitStack() as stack:
        links = []
        for found in heard:
            sensor = sensor_found(found, config)
            links.append((await stack.enter_async_context(connected(adapter, found, sensor)), found))
        sensors: dict[str, _Streaming] = {}
        try:
            with step("starting ..."):
                for link, found in links:
                    await link.start(None)
                    sensors[found.sighting.address] = _Streaming(link, found)
            yield sensors
        finally:
            for each in sensors.values():
                await each.end()


async def _moved(sensors: Mapping[str, _Streaming], known: Mapping[str, str]) -> str:
    """Wait until one sensor alone has been moved for a while."""
    answers: list[str | None] = []
    n_unclear = 0
    for _ in range(round(_PATIENCE_S / _LOOK_S)):
        await asyncio.sleep(_LOOK_S)
        verdict = _look(sensors)
        answers = [*answers, verdict.moved][-_CONVINCED:]
        if verdict.moved is not None and answers == [verdict.moved] * _CONVINCED:
            if verdict.moved not in known:
                return verdict.moved
            _say(f"  That is {sensors[verdict.moved].name}, which is for {known[verdict.moved]} already.")
            await _rest(sensors)
        n_unclear = n_unclear + 1 if verdict.together else 0
        if n_unclear == _UNCLEAR:
            n_unclear = 0
            names = " and ".join(sensors[each].name for each in verdict.together)
            _say(f"  Cannot tell: {names} move together. Put all down but one.")
    raise BridgeError(
        f"it could not be told for {_PATIENCE_S:g} s which sensor was moved; nothing was written"
    )


async def _rest(sensors: Mapping[str, _Streaming]) -> None:
    """Wait until all lie still, or not much longer: what is moved next stands out all the same."""
    for _ in range(round(_REST_S / _LOOK_S)):
        if _look(sensors).at_rest:
            return
        await asyncio.sleep(_LOOK_S)


def _look(sensors: Mapping[str, _Streaming]) -> Verdict:
    return judge({address: each.liveliness() for address, each in sensors.items()})


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(text, markup=False, soft_wrap=True)
