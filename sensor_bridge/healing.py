"""When sets that are over are measured again with what was fetched since, and how the log remembers it.

Where something was fetched and nothing more is on its way, and no set is under way, the session is measured
again, aside from live. The moment at which the corrections take effect is written into the frame log like a
frame: a bridge that reads its log again corrects at the same place, and says the same under the same ids.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from sensor_bridge.ble.link import FrameKind, LinkPhase, ReceivedFrame
from sensor_bridge.recording.frame_log import read_frame_log
from sensor_bridge.remeasuring import Remeasuring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sensor_bridge.athlete_session import AthleteSession
    from sensor_bridge.ble.backfill import BackfillPlanner
    from sensor_bridge.ble.link import LinkState
    from sensor_bridge.outgoing import Outgoing
    from sensor_bridge.recording.sensor_calibrations import SensorCalibration
    from sensor_bridge.remeasuring import Remeasured

log = logging.getLogger(__name__)

_PERIOD_S: Final = 0.5
_LONGEST_WAIT_S: Final = 30.0
_MOST_SILENT: Final = 6  # periods without a new sample


@dataclass(frozen=True, slots=True)
class _Mark:
    """Payload of a frame of kind HEALED.

    ``reach`` is how far the log was read, bytes; ``sets`` how many sets of the live pipeline were over then;
    ``backfilled`` how many samples of the athlete had been fetched.
    """

    reach: int
    sets: int
    backfilled: int

    def to_bytes(self) -> bytes:
        return json.dumps({"reach": self.reach, "sets": self.sets, "backfilled": self.backfilled}).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        told = json.loads(payload)
        return cls(int(told["reach"]), int(told["sets"]), int(told["backfilled"]))


class Healing:
    """Watches over what is fetched, and has sets corrected.

    Parameters
    ----------
    log_path
        The session's frame log.
    sessions
        By athlete.
    planners
        What is missing of each sensor.
    links
        The last report on each sensor's link.
    put
        Takes a frame as from a link: into the log, then to :meth:`corrections`.
    now_ns
        The clock, UTC ns.
    calibrations
        Of sensors, by serial number.
    on_remeasured
        Told of each athlete's session that was measured again.
    wants_whole
        Measure again at the end whatever was fetched, also where nothing came since the last time.
    is_log_whole
        Whether the log holds every frame: where the disk was full, what is not in it would seem not to exist.
    working_s
        The clock that measuring again shares the processor by, s; given by tests.
    """

    def __init__(
        self,
        log_path: Path,
        sessions: Mapping[str, AthleteSession],
        planners: Mapping[str, BackfillPlanner],
        links: Mapping[str, LinkState],
        put: Callable[[ReceivedFrame], None],
        now_ns: Callable[[], int],
        *,
        calibrations: Mapping[str, SensorCalibration] | None = None,
        on_remeasured: Callable[[str, Remeasured], None] | None = None,
        wants_whole: bool = False,
        is_log_whole: Callable[[], bool] = lambda: True,
        working_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._log_path = log_path
        self._sessions = sessions
        self._planners = planners
        self._links = links
        self._put = put
        self._now_ns = now_ns
        self._calibrations = calibrations
        self._on_remeasured = on_remeasured
        self._wants_whole = wants_whole
        self._is_log_whole = is_log_whole
        self._working_s = working_s
        self._seen: dict[str, int] = {}
        self._healed: dict[str, int] = {}
        self._too_early: dict[str, tuple[int, int]] = {}
        self._ready: dict[tuple[str, int], Remeasured] = {}

    async def run(self) -> None:
        """Measure again whatever has to be, for ever."""
        while True:
            for athlete_id in self._sessions:
                await self._heal(athlete_id)
            await asyncio.sleep(_PERIOD_S)

    async def settle(self) -> None:
        """Wait until all that the connected sensors still have is here, as long as it comes."""
        silent, before = 0, (0, 0)
        for _ in range(round(_LONGEST_WAIT_S / _PERIOD_S)):
            left = self._left(sensor_id for sensor_id in self._planners if self._is_up(sensor_id))
            silent = silent + 1 if left == before else 0
            if not any(left) or silent >= _MOST_SILENT:
                break
            if not any(before):
                log.info("still to be fetched from the sensors: %d samples, %d questions", *left)
            before = left
            await asyncio.sleep(_PERIOD_S)
        missing, unanswered = self._left(self._planners)
        if missing or unanswered:
            log.warning(
                "the session ends before all was fetched from sensors: %d samples are missing, %d questions "
                "are unanswered; hipline sensors log downloads what they still have",
                missing,
                unanswered,
            )

    async def corrections(self, frame: ReceivedFrame) -> list[Outgoing]:
        """Take a frame of kind HEALED, from :meth:`run` or out of the log; return what is to be said."""
        athlete_id = self._athlete_of(frame.sensor_id)
        try:
            mark = _Mark.from_bytes(frame.payload)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("%s: a mark in the frame log is not understood: %s", frame.sensor_id, error)
            return []
        remeasured = self._ready.pop((athlete_id, mark.reach), None)
        if remeasured is None:
            remeasured = await self._remeasured(athlete_id, mark.reach, is_whole=False)
        self._healed[athlete_id] = mark.backfilled
        return self._correct(athlete_id, remeasured, mark.sets)

    async def finish(self) -> list[Outgoing]:
        """Return the corrections that are due now that the session has ended."""
        messages: list[Outgoing] = []
        for athlete_id in self._sessions:
            backfilled = self._backfilled(athlete_id)
            is_asked = bool(backfilled) and self._wants_whole
            if is_asked or backfilled > self._healed.get(athlete_id, 0):
                if not self._is_log_whole():
                    log.warning("%s is not measured again: the frame log is not whole", athlete_id)
                    continue
                remeasured = await self._remeasured(athlete_id, None, is_whole=True)
                messages += self._correct(athlete_id, remeasured, None)
        return messages

    async def _heal(self, athlete_id: str) -> None:
        backfilled, sets = self._backfilled(athlete_id), self._sessions[athlete_id].finished_sets
        is_quiet = self._seen.get(athlete_id) == backfilled
        self._seen[athlete_id] = backfilled
        if sets is None or not is_quiet or backfilled <= self._healed.get(athlete_id, 0):
            return
        if self._too_early.get(athlete_id) == (backfilled, sets) or self._is_fetching(athlete_id):
            return
        if not self._is_log_whole():
            return
        reach = self._log_path.stat().st_size
        remeasured = await self._remeasured(athlete_id, reach, is_whole=False)
        if remeasured.is_unfinished:  # a set that was over is not, seen as a whole: wait for its end
            self._too_early[athlete_id] = backfilled, sets
            return
        self._healed[athlete_id] = backfilled
        self._ready[athlete_id, reach] = remeasured
        sensor_id = self._sessions[athlete_id].athlete.sensors[0].id
        mark = _Mark(reach, sets, backfilled)
        self._put(ReceivedFrame(sensor_id, self._now_ns(), FrameKind.HEALED, mark.to_bytes()))

    async def _remeasured(self, athlete_id: str, reach: int | None, *, is_whole: bool) -> Remeasured:
        frames = read_frame_log(self._log_path, reach)
        athlete = self._sessions[athlete_id].athlete
        remeasuring = Remeasuring(
            athlete, frames, is_whole=is_whole, calibrations=self._calibrations, now_s=self._working_s
        )
        return await remeasuring.run_in_slices()

    def _correct(self, athlete_id: str, remeasured: Remeasured, sets: int | None) -> list[Outgoing]:
        if self._on_remeasured is not None:
            self._on_remeasured(athlete_id, remeasured)
        return self._sessions[athlete_id].correct(remeasured, sets)

    def _is_fetching(self, athlete_id: str) -> bool:
        return any(
            self._is_up(sensor.id) and not self._planners[sensor.id].is_done
            for sensor in self._sessions[athlete_id].athlete.sensors
        )

    def _left(self, sensor_ids: Iterable[str]) -> tuple[int, int]:
        """Count the samples of sensors that may still come, and what besides is to be asked of them."""
        planners = [self._planners[sensor_id] for sensor_id in sensor_ids]
        return sum(each.missing for each in planners), sum(each.n_unanswered for each in planners)

    def _is_up(self, sensor_id: str) -> bool:
        link = self._links.get(sensor_id)
        return link is not None and link.phase is LinkPhase.CONNECTED

    def _backfilled(self, athlete_id: str) -> int:
        sensors = self._sessions[athlete_id].athlete.sensors
        return sum(self._planners[sensor.id].account.backfilled for sensor in sensors)

    def _athlete_of(self, sensor_id: str) -> str:
        return next(
            athlete_id
            for athlete_id, session in self._sessions.items()
            if any(sensor.id == sensor_id for sensor in session.athlete.sensors)
        )
