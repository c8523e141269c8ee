"""One athlete from frames to messages. No clock, no I/O: live or from a log, the same frames say the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from analytics.pipeline import AthleteSetup, MotionPipeline
from analytics.recognition import prepare_recognition
from sensor_bridge.assembly import BlockAssembly
from sensor_bridge.athlete_commands import AthleteCommands
from sensor_bridge.gathering import Gathering
from sensor_bridge.messages import AthleteCard, AthleteMessages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from analytics.imu import ImuBlock
    from analytics.pipeline_output import PipelineOutput
    from sensor_bridge.assembly import SensorQuality
    from sensor_bridge.ble.link import ReceivedFrame
    from sensor_bridge.ble.samples import ArrivedRun
    from sensor_bridge.config import AthleteConfig, PrescriptionConfig
    from sensor_bridge.given_command import Answer, GivenCommand
    from sensor_bridge.messages import Outgoing
    from sensor_bridge.recording.sensor_calibrations import SensorCalibration
    from sensor_bridge.remeasuring import Remeasured


_SILENT_NS: Final = 2_000_000_000  # no sample for so long: nothing waits for the next one


def assembly_of(
    athlete: AthleteConfig, calibrations: Mapping[str, SensorCalibration] | None = None
) -> BlockAssembly:
    """Make the assembly of an athlete's sensors; `calibrations` by serial number."""
    return BlockAssembly({sensor.id: sensor.placement for sensor in athlete.sensors}, calibrations)


def pipeline_of(athlete: AthleteConfig) -> MotionPipeline:
    """Make the pipeline of an athlete, as asked for in the configuration."""
    prescription = athlete.prescription.prescription() if athlete.prescription else None
    return MotionPipeline(
        AthleteSetup({sensor.placement: sensor.mount for sensor in athlete.sensors}, prescription)
    )


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
    calibrations
        Of sensors, by serial number.
    """

    def __init__(
        self,
        athlete: AthleteConfig,
        session_id: str,
        watch: Callable[[str, PipelineOutput], None] | None = None,
        calibrations: Mapping[str, SensorCalibration] | None = None,
    ) -> None:
        self.athlete = athlete
        self._watch = watch
        self._gathering = Gathering(sensor.id for sensor in athlete.sensors)
        self._assembly = assembly_of(athlete, calibrations)
        self._pipeline = pipeline_of(athlete)
        self._closed: dict[str, tuple[int, float]] = {}
        card = AthleteCard(
            athlete_id=athlete.id,
            name=athlete.name,
            session=session_id,
            sensors=tuple(sensor.id for sensor in athlete.sensors),
            prescription=athlete.prescription.prescription() if athlete.prescription else None,
        )
        self._messages = AthleteMessages(card, self._assembly.to_utc_ns)
        self._last_sample_ns = 0
        self._commands = AthleteCommands(
            athlete.id,
            session_id,
            athlete.prescription,
            self._pipeline,
            self._assembly,
            self._messages,
            self._tell,
        )

    @staticmethod
    def prepare() -> None:
        """Load what the end of the first set would otherwise wait for; safe in a thread, and never needed."""
        prepare_recognition()

    def to_utc_ns(self, time_ns: int) -> int:
        """Map a moment of the pipeline's timeline to UTC, both integer ns."""
        return self._assembly.to_utc_ns(time_ns)

    def begin(self, now_ms: float) -> list[Outgoing]:
        """Return what is to be said before anything is measured; `now_ms` is UTC."""
        return self._messages.begin(now_ms)

    def take(self, received: ReceivedFrame) -> list[Outgoing]:
        """Take one frame as it came; return what follows from it."""
        runs = self._assembly.decode(received)
        if runs:
            self._last_sample_ns = received.arrival_ns
        return self._gather(runs)

    def command(self, given: GivenCommand, now_ns: int) -> tuple[list[Outgoing], Answer]:
        """Execute a command that came at `now_ns`, UTC; return what follows from it, and what to answer."""
        is_silent = now_ns - self._last_sample_ns > _SILENT_NS
        return self._commands.execute(given, now_ns, is_silent=is_silent)

    def is_waiting(self, now_ns: int) -> bool:
        """Whether an order waits for samples that do not come; `now_ns` is UTC."""
        return self._pipeline.is_waiting and now_ns - self._last_sample_ns > _SILENT_NS

    def obey_now(self) -> list[Outgoing]:
        """Let what was ordered wait no longer; return what follows from it."""
        return self._tell(self._pipeline.obey_now())

    @property
    def prescription(self) -> PrescriptionConfig | None:
        """What is asked now."""
        return self._commands.prescription

    def finish(self) -> list[Outgoing]:
        """No frame comes any more: return what is left to say."""
        messages = self._gather(self._assembly.last_runs())
        messages += self._place(self._gathering.flush())
        messages += self._measure(self._assembly.flush())
        return messages + self._tell(self._pipeline.flush())

    @property
    def finished_sets(self) -> int | None:
        """Sets that are over; None while one is under way."""
        return self._messages.finished_sets

    def correct(self, remeasured: Remeasured, sets: int | None) -> list[Outgoing]:
        """Return what is to be said anew of the first `sets` sets (None: of all) measured again."""
        messages = self._messages.correct(remeasured, sets)
        for sensor_id, healed in remeasured.quality.items():
            seen = self._assembly.quality(sensor_id)
            self._closed[sensor_id] = seen.gaps - healed.gaps, seen.lost_s - healed.lost_s
        return messages

    def quality(self, sensor_id: str) -> SensorQuality:
        """Tell what became of a sensor's samples; holes that were filled later are none."""
        quality = self._assembly.quality(sensor_id)
        gaps, lost_s = self._closed.get(sensor_id, (0, 0.0))
        return replace(quality, gaps=max(0, quality.gaps - gaps), lost_s=max(0.0, quality.lost_s - lost_s))

    @property
    def late_samples(self) -> int:
        """Samples that came after those of the other sensors had been measured without them."""
        return sum(self._pipeline.late_samples.values())

    def _gather(self, runs: Iterable[ArrivedRun]) -> list[Outgoing]:
        messages: list[Outgoing] = []
        for run in runs:
            messages += self._place(self._gathering.push(run))
        return messages

    def _place(self, runs: Iterable[ArrivedRun]) -> list[Outgoing]:
        messages: list[Outgoing] = []
        for run in runs:
            messages += self._measure(self._assembly.place(run))
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
