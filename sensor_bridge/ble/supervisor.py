"""Keeping one sensor streaming: find, connect, stream; on loss wait a little and go on where it broke off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware_protocol.codec import decode_status
from firmware_protocol.errors import ProtocolError
from sensor_bridge.ble.backfill import BackfillPlanner
from sensor_bridge.ble.backfilling import Backfilling
from sensor_bridge.ble.backoff import Backoff
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.last_known import LastKnown
from sensor_bridge.ble.link import FrameKind, LinkHealth, LinkPhase, LinkState
from sensor_bridge.ble.linking import connect
from sensor_bridge.ble.silence import TICK_S, SilenceWatch
from sensor_bridge.errors import BridgeError, LinkLost
from sensor_bridge.host_clock import HostClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firmware_protocol.packets import StreamStatus
    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.ble.link import ReceivedFrame, SensorLink, SensorSettings
    from sensor_bridge.ble.samples import SampleRun

log = logging.getLogger(__name__)

_SEARCH_S: Final = 15.0
_CONNECT_S: Final = 20.0
_RECONNECT_S: Final = 5.0  # at the place where it was last; then it is searched for
_STABLE_S: Final = 10.0
_KEEN_TRIES: Final = 2  # after so many in vain, searching is not to cost the other sensors anything
_STOPPED: Final = "it has stopped sending and says so, though the link is up; switch it off and on again"
_WARN_EVERY: Final = 100  # one line in so many refused payloads


class SensorSupervisor:
    """One sensor's link, made again as often as needed.

    Parameters
    ----------
    sensor
        The sensor and what is wished of it.
    adapter
        The radio.
    connect_lock
        Shared by all supervisors of an adapter: one connection is made at a time.
    on_frame
        Told of every payload, in order, before anything else looks at it.
    on_link
        Told whenever something about the link changes.
    resume_point
        Asked for (stream_id, next sample index) before each start; None stands for "a new stream". Without it
        the stream goes on after what was received since the supervisor was made.
    clock
        For arrival times.
    backoff
        How long to wait between tries.
    planner
        What is missing of the session so far, to be fetched from the sensor's flash; told of all that comes.
    """

    def __init__(
        self,
        sensor: SensorSettings,
        adapter: Adapter,
        connect_lock: asyncio.Lock,
        on_frame: Callable[[ReceivedFrame], None],
        on_link: Callable[[LinkState], None],
        resume_point: Callable[[], tuple[int, int] | None] | None = None,
        *,
        clock: HostClock | None = None,
        backoff: Backoff | None = None,
        planner: BackfillPlanner | None = None,
    ) -> None:
        self._sensor = sensor
        self._adapter = adapter
        self._connect_lock = connect_lock
        self._on_frame = on_frame
        self._on_link = on_link
        self._backfilling = Backfilling(planner or BackfillPlanner())
        self._account = self._backfilling.planner.account
        self._decoder = FrameDecoder()
        self._resume_point = resume_point or self._account.resume_point
        self._clock = clock or HostClock()
        self._backoff = backoff or Backoff()
        self._state = LinkState(sensor.sensor_id, LinkPhase.SCANNING)
        self._at: Found | None = None
        self._known = LastKnown(sensor)
        self._n_failures = 0
        self._n_links = 0
        self._rejected = 0
        self._interval_ms: float | None = None
        self._dropped_before = 0
        self._link: SensorLink | None = None
        self._silence: SilenceWatch | None = None
        self._silent_because: str | None = None
        self._complaint = ""

    @property
    def state(self) -> LinkState:
        """The last report."""
        return self._state

    async def identify(self, duration_s: int) -> None:
        """Make the sensor show itself for so many seconds.

        Raises
        ------
        BridgeError
            It is not connected, or its family cannot.
        """
        if self._link is None:
            raise LinkLost(f"{self._sensor.sensor_id} is not connected: it cannot show itself now")
        await self._link.identify(duration_s)

    async def run(self) -> None:
        """Keep the sensor streaming until cancelled; then leave no link and no task behind."""
        try:
            while True:
                ended = await self._try_once()
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    # A task group that is failing already tells of its errors, not of a cancel (Python 3.11).
                    raise asyncio.CancelledError
                reason = self._known.explained(ended)
                self._n_failures += 1
                # Once in plain sight, since a person may have to mend it; tries that fail alike say no more.
                log.log(logging.INFO if reason == self._complaint else logging.WARNING, "%s", reason)
                self._complaint = reason
                self._report(phase=LinkPhase.LOST, reason=reason)
                await asyncio.sleep(self._backoff.next_s())
        finally:
            self._report(phase=LinkPhase.STOPPED, reason="")

    async def _try_once(self) -> str:
        """Connect and stream; return why that ended."""
        try:
            async with contextlib.AsyncExitStack() as stack:
                link = await self._connect(stack)
                await self._stream(link)
        except BridgeError as error:
            return str(error)
        except BaseExceptionGroup as group:  # of what goes on beside the stream
            ours, others = group.split(BridgeError)
            if ours is None or others is not None:
                raise
            return str(ours.exceptions[0])
        finally:
            if self._link is not None:
                self._dropped_before += self._link.dropped
                self._link = None
        return self._silent_because or f"{self._sensor.sensor_id}: the link was lost"

    async def _connect(self, stack: contextlib.AsyncExitStack) -> SensorLink:
        found, self._at = self._at, None
        timeout_s = _RECONNECT_S
        if found is None:
            self._report(phase=LinkPhase.SCANNING)
            found = await self._adapter.find(
                self._sensor,
                _SEARCH_S,
                address=self._known.address_to_try(),
                is_sparing=self._n_failures > _KEEN_TRIES,
            )
            timeout_s = _CONNECT_S
        async with self._connect_lock:
            self._report(phase=LinkPhase.CONNECTING, name=found.sighting.name, address=found.sighting.address)
            link = await stack.enter_async_context(
                connect(self._adapter, found, self._sensor, self._clock, timeout_s=timeout_s)
            )
        self._known.linked(found.sighting.address, None if link.info is None else link.info.serial)
        self._at, self._link = found, link
        return link

    async def _stream(self, link: SensorLink) -> None:
        resume = self._resume_point()
        if resume is not None and self._account.stream_id is None:
            self._account.take_up(*resume)  # received before this process was born
        self._backfilling.planner.link_up(can_fetch=link.has_flash)
        stream_id = await link.start(resume)
        self._n_links += 1
        self._silence = SilenceWatch(link.frame_s, has_sent=self._account.received > 0)
        self._silent_because = None
        self._complaint = ""
        self._n_failures = 0
        self._report(phase=LinkPhase.CONNECTED, reason="", info=link.info, stream_id=stream_id)
        with self._adapter.streaming():
            await self._stream_until_lost(link)

    async def _stream_until_lost(self, link: SensorLink) -> None:
        async with asyncio.TaskGroup() as tasks:
            helpers = [
                tasks.create_task(link.keep_time(), name=f"clock of {self._sensor.sensor_id}"),
                tasks.create_task(self._watch(link), name=f"watch over {self._sensor.sensor_id}"),
                tasks.create_task(self._backfilling.run(link), name=f"flash of {self._sensor.sensor_id}"),
            ]
            async for frame in link.frames():
                self._take(frame)
            for helper in helpers:
                helper.cancel()

    async def _watch(self, link: SensorLink) -> None:
        """End a link whose stream has stopped unsaid; call one that has lasted a success."""
        assert self._silence is not None
        lasted_s = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            lasted_s += TICK_S
            if lasted_s == _STABLE_S:
                self._backoff.reset()
            complaint = self._silence.tick()
            if complaint is not None:
                self._silent_because = f"{self._sensor.sensor_id}: {complaint}"
                await link.close()
                return
            if self._silence.has_stopped and not self._state.reason:
                reason = f"{self._sensor.sensor_id}: {_STOPPED}"
                log.warning("%s", reason)
                self._report(reason=reason)

    # Frames ----------------------------------------------------------------------------------------------

    def _take(self, frame: ReceivedFrame) -> None:
        self._on_frame(frame)
        try:
            runs = self._decoder.push(frame)
            if self._backfilling.take(frame, runs):
                self._report()
            match frame.kind:
                case FrameKind.DATA:
                    self._take_samples(runs)
                case FrameKind.STATUS:
                    self._take_status(decode_status(frame.payload))
                case FrameKind.BATTERY if frame.payload:
                    self._known.charged(frame.payload[0])
                    self._report(battery_percent=frame.payload[0])
        except ProtocolError as error:
            if self._rejected % _WARN_EVERY == 0:
                log.warning("%s: %s is refused: %s", frame.sensor_id, frame.kind.name, error)
            self._rejected += 1

    def _take_samples(self, runs: Sequence[SampleRun]) -> None:
        if self._silence is not None:
            self._silence.note_data(sum(run.n_samples / run.sampling_rate_hz for run in runs))
        if runs and runs[-1].sampling_rate_hz != self._state.sampling_rate_hz:
            self._report(sampling_rate_hz=runs[-1].sampling_rate_hz)
        if runs and self._state.reason:
            self._report(reason="")

    def _take_status(self, status: StreamStatus) -> None:
        self._interval_ms = status.connection_interval_ms
        self._known.charged(status.battery_percent)
        if self._silence is not None:
            self._silence.note_status(is_streaming=status.is_streaming)
        self._report(
            battery_percent=status.battery_percent,
            overflow_count=status.overflow_count,
        )

    def _health(self) -> LinkHealth:
        account = self._account
        return LinkHealth(
            received=account.received,
            backfilled=account.backfilled,
            lost=account.lost,
            missing=self._backfilling.planner.missing,
            duplicated=account.duplicated,
            rejected=self._rejected + self._decoder.n_rejected,
            dropped=self._dropped_before + (self._link.dropped if self._link is not None else 0),
            reconnects=max(self._n_links - 1, 0),
            rssi_dbm=self._at.sighting.rssi_dbm if self._at is not None else self._state.health.rssi_dbm,
            connection_interval_ms=self._interval_ms,
            has_clock=self._decoder.traits.has_clock,
            shows_loss=self._decoder.traits.shows_loss,
        )

    def _report(self, **changes: object) -> None:
        self._state = replace(self._state, **changes, health=self._health())  # type: ignore[arg-type]
        self._on_link(self._state)
