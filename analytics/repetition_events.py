"""What the counter says: candidates, what was no repetition, live phases and the ends of sets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from analytics.drive_events import DrivePhase

if TYPE_CHECKING:
    from analytics.drive_events import AbortReason, CloseReason
    from analytics.gate import Verdict


class Phase(StrEnum):
    """What the athlete is doing, as shown live."""

    UNKNOWN = "unknown"
    CALIBRATING = "calibrating"
    STANDING = "standing"
    ECCENTRIC = "eccentric"
    BOTTOM = "bottom"
    CONCENTRIC = "concentric"
    TOP = "top"
    REST = "rest"


# A bridge starts with its concentric: the drive goes out when the hips lift.
_STANDING_PHASES = {
    DrivePhase.REST: Phase.TOP,
    DrivePhase.OUT: Phase.ECCENTRIC,
    DrivePhase.HOLD: Phase.BOTTOM,
    DrivePhase.BACK: Phase.CONCENTRIC,
}
_SUPINE_PHASES = {
    DrivePhase.REST: Phase.BOTTOM,
    DrivePhase.OUT: Phase.CONCENTRIC,
    DrivePhase.HOLD: Phase.TOP,
    DrivePhase.BACK: Phase.ECCENTRIC,
}


def phases_of(*, supine: bool) -> dict[DrivePhase, Phase]:
    """Phase of the athlete for each phase of the drive."""
    return _SUPINE_PHASES if supine else _STANDING_PHASES


@dataclass(frozen=True, slots=True)
class Candidate:
    """A counted repetition, roughly timed; `measurement` times it exactly.

    Parameters
    ----------
    start_ns
        Movement onset, backdated, integer ns.
    bottom_ns
        The far end: the bottom of a hinge, the top of a bridge.
    close_ns
        Back at rest, or the turning point of a touch-and-go.
    decided_ns
        Sample at which it was counted.
    amplitude_deg
        Far end above the lockout level, degrees of the driving angle.
    lockout_deg
        The level the counter took for lockout, degrees.
    closed_by
        How it ended.
    is_provisional
        First of its set: nothing to compare with yet.
    is_supine
        A bridge: lifting comes first.
    verdict
        What the gate looked at; ``None`` where the gate is off.
    """

    start_ns: int
    bottom_ns: int
    close_ns: int
    decided_ns: int
    amplitude_deg: float
    lockout_deg: float
    closed_by: CloseReason
    is_provisional: bool
    is_supine: bool
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Aborted:
    """A movement broken off, or one that could not be followed to its end."""

    start_ns: int
    bottom_ns: int
    end_ns: int
    depth_deg: float
    reason: AbortReason


@dataclass(frozen=True, slots=True)
class Rejected:
    """A cycle that the gate does not take for a repetition; its verdict says why."""

    candidate: Candidate

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is no repetition."""
        return self.candidate.verdict.reasons if self.candidate.verdict is not None else ()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The set's first repetition is taken back: those that follow are more than twice as large."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class LivePhaseChange:
    """A phase began.

    Parameters
    ----------
    phase
        The phase entered.
    time_ns
        Since when, backdated.
    decided_ns
        Sample at which that was decided.
    is_false_start
        The eccentric shown before was none: it vanishes silently.
    """

    phase: Phase
    time_ns: int
    decided_ns: int
    is_false_start: bool = False


class BoundaryReason(StrEnum):
    """Why a set ended."""

    RESTED = "rested"
    POSTURE_CHANGED = "posture_changed"


@dataclass(frozen=True, slots=True)
class SetBoundary:
    """What follows belongs to another set."""

    time_ns: int
    reason: BoundaryReason


CounterEvent: TypeAlias = Candidate | Aborted | Rejected | Withdrawn | LivePhaseChange | SetBoundary
