"""Exchanging a sensor's firmware: upload, trial, reboot, confirmation, and the way back.

New firmware runs on trial first. Only when the sensor has come back with it and is understood is it
confirmed; in every other case the next boot, ours or the sensor's own, brings back what ran before.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sensor_bridge.ble.connection import connected
from sensor_bridge.ble.update_link import UpdateLink
from sensor_bridge.errors import (
    AdapterFull,
    BondLost,
    CommandRefused,
    LinkLost,
    PairingNeeded,
    SensorNotFound,
    UpdateFailed,
    WrongFirmware,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sensor_bridge.ble.adapter import Adapter
    from sensor_bridge.ble.link import SensorSettings
    from sensor_bridge.ble.update_link import Slot
    from sensor_bridge.firmware_file import FirmwareFile
    from sensor_bridge.host_clock import HostClock

_LEAST_BATTERY_PERCENT: Final = 20
_TRIES_WITHOUT_PROGRESS: Final = 4
_BETWEEN_TRIES_S: Final = 0.5
_RESTARTED_S: Final = 5.0  # who has not begun to restart by then has not heard that it should
_FOR_THE_USER: Final = (AdapterFull, BondLost, PairingNeeded)  # trying again mends none of these


@dataclass(frozen=True, slots=True)
class UpdateTimes:
    """How long to wait for a sensor.

    Parameters
    ----------
    search_s, connect_s
        For one search and one connection.
    return_s
        For a sensor that was told to boot anew: boot loaders exchange slots for half a minute.
    """

    search_s: float = 15.0
    connect_s: float = 20.0
    return_s: float = 90.0


@dataclass(frozen=True, slots=True)
class UpdateProgress:
    """Where an update is.

    Parameters
    ----------
    step
        What is being done, in words.
    sent, size
        Bytes of the image that the sensor has, and all of them.
    """

    step: str
    sent: int
    size: int


class FirmwareUpdate:
    """One sensor gets one image.

    Parameters
    ----------
    adapter
        The radio.
    sensor
        Which sensor.
    clock
        For the link.
    firmware
        What it is to run.
    tell
        Told of every step.
    times
        How long to wait.
    """

    def __init__(
        self,
        adapter: Adapter,
        sensor: SensorSettings,
        clock: HostClock,
        firmware: FirmwareFile,
        tell: Callable[[UpdateProgress], None],
        times: UpdateTimes | None = None,
    ) -> None:
        self._adapter = adapter
        self._sensor = sensor
        self._clock = clock
        self._firmware = firmware
        self._tell = tell
        self._times = times or UpdateTimes()
        self._sent = 0

    async def run(self) -> bool:
        """Bring the image onto the sensor.

        Returns
        -------
        bool
            False where the sensor runs it already.

        Raises
        ------
        UpdateFailed
            The sensor runs what it ran before, or does not come back.
        SensorNotFound, LinkLost, WrongFirmware, CommandRefused
            It is not there, the link cannot be held, or it has no update service.
        PairingNeeded, BondLost, AdapterFull
            No link without the user's help.
        """
        before = await self._deliver()
        if before is not None:
            await self._settle(before)
        return before is not None

    # Upload ----------------------------------------------------------------------------------------------

    async def _deliver(self) -> Slot | None:
        """Upload and start the trial; return what ran before, None where there is nothing to do."""
        failures, sent_before = 0, 0
        while True:
            try:
                async with self._linked(self._times.search_s) as link:
                    return await self._deliver_over(link)
            except _FOR_THE_USER:
                raise
            except LinkLost as lost:
                failures = 1 if self._sent > sent_before else failures + 1
                sent_before = max(sent_before, self._sent)
                if failures >= _TRIES_WITHOUT_PROGRESS:
                    raise
                self._say(f"the link was lost ({lost}); going on where it broke off")
                await asyncio.sleep(_BETWEEN_TRIES_S)

    async def _deliver_over(self, link: UpdateLink) -> Slot | None:
        firmware = self._firmware
        slots = await link.slots()
        active = _active(slots)
        if active.digest == firmware.digest:  # from an earlier time
            if active.is_confirmed:
                return None
            return next((slot for slot in slots if not slot.is_active), active)  # the other may be empty
        if firmware.version < active.version[:3]:
            raise UpdateFailed(
                f"the image is {firmware.version_text}, {self._name} runs {active.version_text}: "
                "older firmware is not installed"
            )
        battery_percent = (await link.status()).battery_percent
        if battery_percent < _LEAST_BATTERY_PERCENT:
            raise UpdateFailed(
                f"{self._name} has {battery_percent} % of its battery left; charge it to "
                f"{_LEAST_BATTERY_PERCENT} % before its firmware is exchanged"
            )
        if all(slot.digest != firmware.digest for slot in slots):
            async for sent in link.upload(firmware.data):
                self._sent = sent
                self._say("sending")
        await link.try_at_next_boot(firmware.digest)
        self._say("restarting")
        with suppress(LinkLost):  # the answer may go down with the link: what comes back tells
            await link.reset()
        return active

    # Trial -----------------------------------------------------------------------------------------------

    async def _settle(self, before: Slot) -> None:
        """Wait until the sensor is back; keep the new firmware, or say what became of it."""
        now_s = asyncio.get_running_loop().time
        restart_again_s = now_s() + _RESTARTED_S
        try:
            async with asyncio.timeout(self._times.return_s):
                while True:
                    try:
                        async with self._linked(self._times.return_s) as link:
                            slots = await link.slots()
                            if not any(slot.is_pending for slot in slots):  # else it has not restarted yet
                                await self._judge(link, slots, before)
                                return
                            if now_s() >= restart_again_s:
                                restart_again_s = now_s() + _RESTARTED_S
                                await link.reset()
                    except _FOR_THE_USER:
                        raise
                    except (LinkLost, SensorNotFound):
                        pass
                    await asyncio.sleep(_BETWEEN_TRIES_S)
        except TimeoutError:
            raise UpdateFailed(
                f"{self._name} did not come back within {self._times.return_s:g} s; switch it off and on: "
                f"the new firmware is not confirmed, so it starts with {before.version_text} again"
            ) from None

    async def _judge(self, link: UpdateLink, slots: tuple[Slot, ...], before: Slot) -> None:
        digest, active = self._firmware.digest, _active(slots)
        new, old = self._firmware.version_text, before.version_text
        if active.digest != digest:
            if any(slot.digest == digest for slot in slots):
                raise UpdateFailed(
                    f"firmware {new} did not start on {self._name}: it went back to {old} by itself"
                )
            raise UpdateFailed(
                f"{self._name} refused firmware {new}, most likely for its signature; it runs {old} as before"
            )
        try:
            await link.status()
        except WrongFirmware as error:
            complaint = f"firmware {new} runs but is not understood ({error})"
            if before.digest == digest:
                raise UpdateFailed(f"{complaint}, and {self._name} holds no other to go back to") from error
            with suppress(LinkLost, CommandRefused):  # then the sensor's next boot is the way back
                await link.reset()
            raise UpdateFailed(f"{complaint}: {self._name} goes back to {old} at its next boot") from error
        self._say("confirming")
        await link.confirm()

    # ------------------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self._sensor.sensor_id

    def _say(self, step: str) -> None:
        self._tell(UpdateProgress(step, self._sent, len(self._firmware.data)))

    @asynccontextmanager
    async def _linked(self, search_s: float) -> AsyncIterator[UpdateLink]:
        found = await self._adapter.find(self._sensor, search_s)
        link = UpdateLink(self._sensor, self._clock)
        async with connected(link, self._adapter, found, timeout_s=self._times.connect_s):
            yield link


def _active(slots: tuple[Slot, ...]) -> Slot:
    for slot in slots:
        if slot.is_active:
            return slot
    raise CommandRefused("the sensor does not say which firmware it runs")
