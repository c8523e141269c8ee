"""A recorded session measured again from its log, as the bridge would after a crash: the same is said.

Nothing is published and nothing is asked of sensors; commands in the log have their effects again.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from pydantic import ValidationError

from firmware_protocol.errors import ProtocolError
from sensor_bridge.athlete_session import AthleteSession
from sensor_bridge.ble.backfill import BackfillPlanner
from sensor_bridge.ble.backfilling import Backfilling
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.config import Config
from sensor_bridge.errors import RecordingError
from sensor_bridge.given_command import GivenCommand
from sensor_bridge.healing import Healing
from sensor_bridge.mqtt.command_payloads import ArgumentError
from sensor_bridge.prescribed import with_prescriptions
from sensor_bridge.recording.frame_log import read_frame_log
from sensor_bridge.recording.sensor_calibrations import from_metadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from analytics.pipeline_output import PipelineOutput
    from sensor_bridge.ble.link import ReceivedFrame
    from sensor_bridge.outgoing import Outgoing
    from sensor_bridge.recording.session import Session
    from sensor_bridge.remeasuring import Remeasured

log = logging.getLogger(__name__)

_FROM_HEADER = ("gym", "athletes", "streaming", "layouts")


class SessionReplay:
    """One session, from its first frame to its last.

    Parameters
    ----------
    session
        The session; nobody writes to it any more.
    watch
        Told what each athlete's pipeline says, on the pipeline's own timeline.
    on_remeasured
        Told of each athlete's session that was measured again, with samples fetched later.

    Raises
    ------
    RecordingError
        The header of its log does not say who wore what.
    """

    def __init__(
        self,
        session: Session,
        watch: Callable[[str, PipelineOutput], None],
        on_remeasured: Callable[[str, Remeasured], None],
    ) -> None:
        header = session.metadata
        try:
            config = Config.model_validate({key: header[key] for key in _FROM_HEADER if key in header})
            config = with_prescriptions(config, header.get("prescribed", {}))
        except (ValidationError, TypeError, AttributeError) as error:
            raise RecordingError(
                f"{session.frame_log_path}: its header does not say who wore what: an older Hipline wrote it"
            ) from error
        calibrations = from_metadata(header.get("calibrations"))
        self._session = session
        self.athletes = {
            athlete.id: AthleteSession(athlete, session.session_id, watch, calibrations)
            for athlete in config.athletes
        }
        self.names = {athlete.id: athlete.name for athlete in config.athletes}
        self._worn_by = {
            sensor.id: self.athletes[athlete.id] for athlete in config.athletes for sensor in athlete.sensors
        }
        planners = {sensor_id: BackfillPlanner() for sensor_id in self._worn_by}
        self._fetched = {sensor_id: Backfilling(planner) for sensor_id, planner in planners.items()}
        self._decoders = {sensor_id: FrameDecoder() for sensor_id in self._worn_by}
        self._healing = Healing(
            session.frame_log_path,
            self.athletes,
            planners,
            {},
            lambda _: None,
            lambda: 0,
            calibrations=calibrations,
            on_remeasured=on_remeasured,
        )

    async def messages(self) -> AsyncIterator[tuple[ReceivedFrame | None, list[Outgoing]]]:
        """Yield each frame with what it says; None with what is said before the first and after the last."""
        for athlete in self.athletes.values():
            yield None, athlete.begin(self._session.started_ms)
        for frame in read_frame_log(self._session.frame_log_path):
            if frame.sensor_id in self._worn_by:
                yield frame, await self._take(frame)
        for athlete in self.athletes.values():
            yield None, athlete.finish()
        yield None, await self._healing.finish()

    async def _take(self, frame: ReceivedFrame) -> list[Outgoing]:
        with contextlib.suppress(ProtocolError):  # counted where it is measured
            runs = self._decoders[frame.sensor_id].push(frame)
            self._fetched[frame.sensor_id].take(frame, runs)
        athlete = self._worn_by[frame.sensor_id]
        if frame.kind is FrameKind.HEALED:
            return await self._healing.corrections(frame)
        if frame.kind is not FrameKind.COMMAND:
            return athlete.take(frame)
        if not frame.payload:
            return athlete.obey_now()
        try:
            messages, _ = athlete.command(GivenCommand.from_bytes(frame.payload), frame.arrival_ns)
        except ArgumentError as error:
            log.warning("%s", error)
            return []
        return messages
