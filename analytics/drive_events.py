"""What the turning-point machine says: cycles, movements broken off, changes of phase and rest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TypeAlias


class CloseReason(StrEnum):
    """How a cycle came to its end."""

    LOCKOUT = "lockout"
    SOFT_LOCKOUT = "soft_lockout"
    TOUCH_AND_GO = "touch_and_go"


class AbortReason(StrEnum):
    """Why a movement was no repetition."""

    TOO_SHALLOW = "too_shallow"
    TOO_SHORT = "too_short"
    POSTURE_CHANGED = "posture_changed"
    UNMEASURED = "unmeasured"


class DrivePhase(Enum):
    """Where the drive is."""

    REST = "rest"
    OUT = "out"
    HOLD = "hold"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Cycle:
    """A closed cycle rest → far end → rest; times in integer ns, angles in degrees of the drive."""

    start_ns: int
    turn_ns: int
    close_ns: int
    decided_ns: int
    amplitude_deg: float
    baseline_deg: float
    reason: CloseReason


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """A movement that was no cycle, with the depth it reached."""

    start_ns: int
    turn_ns: int
    end_ns: int
    depth_deg: float
    reason: AbortReason


@dataclass(frozen=True, slots=True)
class DriveChange:
    """The drive entered a phase: since when (backdated), and when that was decided."""

    phase: DrivePhase
    time_ns: int
    decided_ns: int
    is_false_start: bool = False


@dataclass(frozen=True, slots=True)
class Rested:
    """Rest long enough to end a set."""

    time_ns: int


MachineEvent: TypeAlias = Cycle | BrokenOff | DriveChange | Rested
