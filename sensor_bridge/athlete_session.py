"""One athlete from frames to messages. No clock, no I/O: live or from a log, the same frames say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.pipeline import AthleteSetup, MotionPipeline
from analytics.recognition import prepare_recognition
from firmware_protocol.codec import decode_frame
from firmware_protocol.errors import ProtocolError
from sensor_bridge.assembly import BlockAssembly
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.gathering import DataFrame, Gathering
from sensor_bridge.messages import AthleteCard, AthleteMessages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analytics.imu import ImuBlock
    from analytics.pipeline_output import PipelineOutput
    from sensor_bridge.assembly import SensorQuality
    from sensor_bridge.ble.link import ReceivedFrame
    from sensor_bridge.config import AthleteConfig
    from sensor_bridge.messages import Outgoing


class AthleteSession:
    """What is known of one athlete in one session.

    Parameters
    ----------
    athlete
        Who, with which sensors.
    session_id
        In every message.
    watch
        Also told what the pipeline says, on the pipeline's own timeline.
    """

    def __init__(
        self,
        athlete: AthleteConfig,
        session_id: str,
        watch: Callable[[str, PipelineOutput], None] | None = None,
    ) -> None:
        prescription = athlete.prescription.prescription() if athlete.prescription else None
        self.athlete = athlete
        self._watch = watch
        self._gathering = Gathering(sensor.id for sensor in athlete.sensors)
        self._assembly = BlockAssembly({sensor.id: sensor.placement for sensor in athlete.sensors})
        self._pipeline = MotionPipeline(
            AthleteSetup({sensor.placement: sensor.mount for sensor in athlete.sensors}, prescription)
        )
        card = AthleteCard(
            athlete_id=athlete.id,
            name=athlete.name,
            session=session_id,
            sensors=tuple(sensor.id for sensor in athlete.sensors),
            prescription=prescription,
        )
        self._messages = AthleteMessages(card, self._assembly.to_utc_ns)

    @staticmethod
    def prepare() -> None:
        """Load what the end of the first set would otherwise wait for; safe in a thread, and never needed."""
        prepare_recognition()

    def begin(self, now_ms: float) -> list[Outgoing]:
        """Return what is to be said before anything is measured; `now_ms` is UTC."""
        return self._messages.begin(now_ms)

    def take(self, received: ReceivedFrame) -> list[Outgoing]:
        """Take one frame as it came; return what follows from it."""
        if received.kind is not FrameKind.DATA:
            return self._measure(self._assembly.push(received))
        try:
            frame = DataFrame(received, decode_frame(received.payload))
        except ProtocolError:
            return self._measure(self._assembly.push(received))  # where it is counted as rejected
        return self._place(self._gathering.push(frame))

    def finish(self) -> list[Outgoing]:
        """No frame comes any more: return what is left to say."""
        messages = self._place(self._gathering.flush())
        messages += self._measure(self._assembly.flush())
        return messages + self._tell(self._pipeline.flush())

    def quality(self, sensor_id: str) -> SensorQuality:
        """Tell what became of a sensor's samples."""
        return self._assembly.quality(sensor_id)

    @property
    def late_samples(self) -> int:
        """Samples that came after those of the other sensors had been measured without them."""
        return sum(self._pipeline.late_samples.values())

    def _place(self, frames: Iterable[DataFrame]) -> list[Outgoing]:
        messages: list[Outgoing] = []
        for frame in frames:
            messages += self._measure(self._assembly.push(frame.received))
        return messages

    def _measure(self, blocks: Iterable[ImuBlock]) -> list[Outgoing]:
        messages: list[Outgoing] = []
        for block in blocks:
            messages += self._tell(self._pipeline.push(block))
        return messages

    def _tell(self, output: PipelineOutput) -> list[Outgoing]:
        if self._watch is not None:
            self._watch(self.athlete.id, output)
        return self._messages.tell(output)
