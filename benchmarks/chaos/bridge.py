"""The bridge from its links to its frame log, as the service runs it, without disk, broker and page."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING

from firmware_protocol.errors import ProtocolError
from hardware_sim.chaos import MishapKind
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.backfill import BackfillPlanner
from sensor_bridge.ble.backfilling import Backfilling
from sensor_bridge.ble.backoff import Backoff
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.link import LinkPhase, LinkState
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
        self.planners: dict[str, BackfillPlanner] = {}
        self.states: dict[str, LinkState] = {}
        self.n_links = 0
        self._radio = radio
        self._worn = worn
        self._random = random.Random(seed)
        loop = asyncio.get_running_loop()
        self._clock = HostClock(lambda: _BEGAN_NS, lambda: round(loop.time() * 1e9))
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, from what the log holds."""
        self.planners = {sensor_id: BackfillPlanner() for sensor_id in self._worn}
        self._read_log_again()
        adapter, connecting, log = Adapter(*self._radio.bleak_backends()), asyncio.Lock(), self.log
        self._tasks = [
            asyncio.create_task(
                SensorSupervisor(
                    worn,
                    adapter,
                    connecting,
                    log.append,
                    self._note,
                    clock=self._clock,
                    backoff=Backoff(generator=self._random),
                    planner=self.planners[sensor_id],
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
            self.log = self.log.copy()  # what the dying process still hears, nobody reads
            await self._radio.replace_host()
        await self.stop()
        self.start()

    def _read_log_again(self) -> None:
        decoders = {sensor_id: FrameDecoder() for sensor_id in self._worn}
        told = {sensor_id: Backfilling(planner) for sensor_id, planner in self.planners.items()}
        for frame in self.log:
            with contextlib.suppress(ProtocolError):  # it was refused when it came, too
                told[frame.sensor_id].take(frame, decoders[frame.sensor_id].push(frame))

    def _note(self, state: LinkState) -> None:
        before = self.states.get(state.sensor_id)
        self.n_links += state.phase is LinkPhase.CONNECTED and (
            before is None or before.phase is not LinkPhase.CONNECTED
        )
        self.states[state.sensor_id] = state
