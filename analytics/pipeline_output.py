"""What the pipeline says: angles, events, and the state to show live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from analytics.adherence import LiveCount
    from analytics.angles import AngleBlock
    from analytics.calibration import SegmentCalibration
    from analytics.posture import Posture
    from analytics.repetition_figures import Repetition
    from analytics.repetitions import Aborted, Phase
    from analytics.sets import SetSummary


@dataclass(frozen=True, slots=True)
class CalibrationEvent:
    """A sensor's calibration began to hold, or became better, at this time."""

    time_ns: int
    calibration: SegmentCalibration


@dataclass(frozen=True, slots=True, eq=False)
class RepetitionEvent:
    """A repetition was measured.

    Parameters
    ----------
    repetition
        What was measured.
    revision
        0 when it closed, higher each time it was measured again; the highest holds.
    final
        Measured with everything that will ever be known of it.
    angles
        Its angles, measured without filter delay; they replace the live ones from start to end.
    """

    repetition: Repetition
    revision: int
    final: bool
    angles: AngleBlock


@dataclass(frozen=True, slots=True)
class RepetitionWithdrawn:
    """A repetition published before was none."""

    set_number: int
    repetition_number: int
    reason: str


@dataclass(frozen=True, slots=True)
class RepetitionAborted:
    """A movement broken off, or one that could not be followed: not counted."""

    set_number: int
    aborted: Aborted


@dataclass(frozen=True, slots=True)
class SetEvent:
    """A set ended, or one that ended was measured again."""

    summary: SetSummary
    revision: int


PipelineEvent: TypeAlias = (
    CalibrationEvent | RepetitionEvent | RepetitionWithdrawn | RepetitionAborted | SetEvent
)


@dataclass(frozen=True, slots=True)
class LiveState:
    """What to show now.

    Parameters
    ----------
    time_ns
        Sample it was decided at.
    phase, posture
        What the athlete is doing, and how.
    set_number, repetition_count
        Current set, and repetitions in it so far.
    eccentric_start_ns
        Onset of the lowering under way, backdated.
    depth_fraction
        Depth as a part of this set's typical one, 0 to 1.
    count
        The count of the lowering under way against the tempo that was asked; ``None`` outside one.
    """

    time_ns: int
    phase: Phase
    posture: Posture
    set_number: int
    repetition_count: int
    eccentric_start_ns: int | None
    depth_fraction: float | None
    count: LiveCount | None = None


@dataclass(frozen=True, slots=True)
class PipelineOutput:
    """Answer to one push: live angles, events in the order they were decided, and the newest state."""

    angles: tuple[AngleBlock, ...] = ()
    events: tuple[PipelineEvent, ...] = ()
    live: LiveState | None = None
