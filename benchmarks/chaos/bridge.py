"""The bridge from its links to its frame log, as the service runs it, without disk, broker and page."""

from __future__ import annotations

import asyncio
import functools
import random
from typing import TYPE_CHECKING

from firmware_protocol.errors import ProtocolError
from hardware_sim.chaos import MishapKind
from sensor_bridge.ble.accounting import SampleAccount
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.backoff import Backoff
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.link import FrameKind, LinkPhase, LinkState
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.host_clock import HostClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardware_sim.radio import VirtualRadio
    from sensor_bridge.ble.link import ReceivedFrame
    from sensor_bridge.sensor_report import WornSensor

_BEGAN_NS = 1_800_000_000_000_000_000  # any moment of UTC


class TroubledBridge:
    """Keeps the sensors streaming, and goes on from its log after each restart.

    Parameters
    ----------
    radio
        Where the sensors are.
    worn
        The sensors, by id.
    seed
        For the scatter of waiting times.
    """

    def __init__(self, radio: VirtualRadio, worn: Mapping[str, WornSensor], seed: int) -> None:
        self.log: list[ReceivedFrame] = []
        self.accounts: dict[str, SampleAccount] = {}
        self.states: dict[str, LinkState] = {}
        self.n_links = 0
        self._radio = radio
        self._worn = worn
        self._random = random.Random(seed)
        loop = asyncio.get_running_loop()
        self._clock = HostClock(lambda: _BEGAN_NS, lambda: round(loop.time() * 1e9))
        self._tasks: list[asyncio.Task[None]] = []
        self._decoders: dict[str, FrameDecoder] = {}

    def start(self) -> None:
        """Begin, from what the log holds."""
        self._decoders = {sensor_id: FrameDecoder() for sensor_id in self._worn}
        self.accounts = {sensor_id: SampleAccount() for sensor_id in self._worn}
        for frame in self.log:
            self._count(frame)
        adapter, connecting = Adapter(*self._radio.bleak_backends()), asyncio.Lock()
        self._tasks = [
            asyncio.create_task(
                SensorSupervisor(
                    worn,
                    adapter,
                    connecting,
                    self._take,
                    self._note,
                    functools.partial(self._resume_point, sensor_id),
                    clock=self._clock,
                    backoff=Backoff(generator=self._random),
                ).run(),
                name=sensor_id,
            )
            for sensor_id, worn in self._worn.items()
        ]

    async def stop(self) -> None:
        """End in order."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def befall(self, kind: MishapKind) -> None:
        """Restart as a program or with the machine's power cut."""
        if kind is MishapKind.HOST_POWER_CUT:
            log, self.log = self.log, []  # what the dying process still hears, nobody reads
            await self._radio.replace_host()
            await self.stop()
            self.log = log
        else:
            await self.stop()
        self.start()

    def _take(self, frame: ReceivedFrame) -> None:
        self.log.append(frame)
        self._count(frame)

    def _count(self, frame: ReceivedFrame) -> None:
        if frame.kind is not FrameKind.DATA:
            return
        try:
            runs = self._decoders[frame.sensor_id].push(frame)
        except ProtocolError:
            return
        for run in runs:
            self.accounts[frame.sensor_id].add(run)

    def _note(self, state: LinkState) -> None:
        before = self.states.get(state.sensor_id)
        self.n_links += state.phase is LinkPhase.CONNECTED and (
            before is None or before.phase is not LinkPhase.CONNECTED
        )
        self.states[state.sensor_id] = state

    def _resume_point(self, sensor_id: str) -> tuple[int, int] | None:
        return self.accounts[sensor_id].resume_point()
