"""How a repetition, a set and the count under way keep to what was prescribed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.exercises import Side
from analytics.imu import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.prescription import Prescription
    from analytics.repetition_figures import Repetition


class Keeping(StrEnum):
    """How something done compares with what was asked."""

    KEPT = "kept"
    SHORT = "short"
    LONG = "long"
    DOUBTFUL = "doubtful"
    UNMEASURED = "unmeasured"


@dataclass(frozen=True, slots=True)
class AdherenceParameters:
    """Constants; defaults of ours, not validated.

    Parameters
    ----------
    allowance_s, allowance_share
        How far a part may be off: the larger of both, s and as a part of what was asked.
    """

    allowance_s: float = 0.5
    allowance_share: float = 0.1


@dataclass(frozen=True, slots=True)
class PartAdherence:
    """One part of a prescription against what was done.

    Parameters
    ----------
    part
        ``eccentric``, ``bottom``, ``concentric``, ``top`` or ``range``.
    asked, done, sd
        Seconds, or degrees of the range; ``done`` and ``sd`` are ``None`` where it could not be measured.
    keeping
        ``doubtful``: within its own error of the limit.
    """

    part: str
    asked: float
    done: float | None
    sd: float | None
    keeping: Keeping


@dataclass(frozen=True, slots=True)
class SetAdherence:
    """A set against its prescription.

    Parameters
    ----------
    repetitions_done, repetitions_asked
        ``None``: no number was asked.
    set_number, sets_asked
        Which set this is, and of how many.
    is_side_kept
        ``None`` where no side was asked.
    parts_kept, parts_judged
        Of all parts of the tempo and of the range, in all repetitions; doubtful and unmeasured ones are not
        judged.
    """

    repetitions_done: int
    repetitions_asked: int | None
    set_number: int
    sets_asked: int | None
    is_side_kept: bool | None
    parts_kept: int
    parts_judged: int

    @property
    def kept_share(self) -> float | None:
        """Parts kept of those judged, 0 to 1; ``None`` where none could be judged."""
        return self.parts_kept / self.parts_judged if self.parts_judged else None


@dataclass(frozen=True, slots=True)
class LiveCount:
    """The count of the lowering under way: "count 3 of 5, depth 55 %, 0.3 s early".

    Parameters
    ----------
    count, of
        From 1; beyond ``of`` where the lowering lasts longer than asked.
    depth_fraction
        Depth as a part of this set's typical one, 0 to 1; ``None`` before there is one.
    early_s
        How far the depth is ahead of an even lowering in the time asked, s; negative: late.
    """

    count: int
    of: int
    depth_fraction: float | None
    early_s: float | None


def live_count(
    prescription: Prescription | None,
    eccentric_start_ns: int | None,
    time_ns: int,
    depth_fraction: float | None,
) -> LiveCount | None:
    """Count along with the lowering.

    Parameters
    ----------
    prescription
        What was asked.
    eccentric_start_ns
        Onset of the lowering under way, ``None`` outside one.
    time_ns
        Now, integer ns.
    depth_fraction
        Depth as a part of this set's typical one.

    Returns
    -------
    LiveCount or None
        ``None`` outside a lowering, or where no lowering of half a second or more was asked.
    """
    tempo = prescription.tempo if prescription is not None else None
    if tempo is None or eccentric_start_ns is None or tempo.eccentric_s < 0.5 or time_ns < eccentric_start_ns:
        return None
    elapsed_s = (time_ns - eccentric_start_ns) / NANOSECONDS_PER_SECOND
    depth, early_s = None, None
    if depth_fraction is not None and math.isfinite(depth_fraction):
        depth = min(1.0, max(0.0, depth_fraction))
        early_s = depth * tempo.eccentric_s - elapsed_s
    return LiveCount(1 + math.floor(elapsed_s), math.ceil(tempo.eccentric_s), depth, early_s)


def repetition_adherence(
    repetition: Repetition, prescription: Prescription, parameters: AdherenceParameters | None = None
) -> tuple[PartAdherence, ...]:
    """Compare a repetition with what was asked.

    Movements are judged by ``movement_s``, which is what an athlete counts; pauses by the pauses between
    the movements, made shorter by the slow ends that belong to these. A concentric asked "as fast as
    possible" and pauses of 0 s are not judged.

    Parameters
    ----------
    repetition
        As measured.
    prescription
        What was asked.
    parameters
        Constants.

    Returns
    -------
    tuple of PartAdherence
        One for each part that was asked.
    """
    p = parameters or AdherenceParameters()
    parts: list[PartAdherence] = []
    tempo = prescription.tempo
    if tempo is not None:
        asked = {
            "eccentric": (tempo.eccentric_s, "eccentric_movement_s"),
            "bottom": (tempo.bottom_s, "bottom_pause_s"),
            "concentric": (tempo.concentric_s or 0.0, "concentric_movement_s"),
            "top": (tempo.top_s, "top_pause_s"),
        }
        for part, (asked_s, name) in asked.items():
            if asked_s > 0.0:
                done = getattr(repetition, name)
                if part in {"bottom", "top"} and done is not None:
                    done = max(0.0, done - _slow_ends_s(repetition))
                parts.append(_judged(part, asked_s, done, repetition.sd.get(name), _allowance_s(asked_s, p)))
    if prescription.minimum_range_deg is not None:
        parts.append(_range(repetition, prescription.minimum_range_deg))
    return tuple(parts)


def set_adherence(
    repetitions: Sequence[Repetition],
    prescription: Prescription,
    set_number: int,
    side: Side,
    parameters: AdherenceParameters | None = None,
) -> SetAdherence:
    """Compare a set with what was asked.

    Parameters
    ----------
    repetitions
        Of the set.
    prescription
        What was asked.
    set_number
        From 1.
    side
        Working side that the sensors show.
    parameters
        Constants.
    """
    parts = [part for one in repetitions for part in repetition_adherence(one, prescription, parameters)]
    judged = [part for part in parts if part.keeping not in {Keeping.DOUBTFUL, Keeping.UNMEASURED}]
    return SetAdherence(
        repetitions_done=len(repetitions),
        repetitions_asked=prescription.repetitions,
        set_number=set_number,
        sets_asked=prescription.sets,
        is_side_kept=None if prescription.side is None else prescription.side is side,
        parts_kept=sum(part.keeping is Keeping.KEPT for part in judged),
        parts_judged=len(judged),
    )


def _allowance_s(asked_s: float, p: AdherenceParameters) -> float:
    return max(p.allowance_s, p.allowance_share * asked_s)


def _slow_ends_s(repetition: Repetition) -> float:
    """Time that the slow ends of both movements take from the pauses; half of it lies at either pause."""
    pairs = (
        (repetition.eccentric_movement_s, repetition.eccentric_s),
        (repetition.concentric_movement_s, repetition.concentric_s),
    )
    return 0.5 * sum(
        movement_s - phase_s
        for movement_s, phase_s in pairs
        if movement_s is not None and phase_s is not None
    )


def _judged(part: str, asked: float, done: float | None, sd: float | None, allowance: float) -> PartAdherence:
    if done is None or sd is None:
        return PartAdherence(part, asked, None, None, Keeping.UNMEASURED)
    beyond = abs(done - asked) - allowance
    if abs(beyond) < sd:
        keeping = Keeping.DOUBTFUL
    elif beyond <= 0.0:
        keeping = Keeping.KEPT
    else:
        keeping = Keeping.SHORT if done < asked else Keeping.LONG
    return PartAdherence(part, asked, done, sd, keeping)


def _range(repetition: Repetition, least_deg: float) -> PartAdherence:
    names = {
        Side.LEFT: ["hip_flexion_left_range_deg"],
        Side.RIGHT: ["hip_flexion_right_range_deg"],
    }.get(repetition.side, ["hip_flexion_left_range_deg", "hip_flexion_right_range_deg"])
    known = [(getattr(repetition, name), name) for name in names if getattr(repetition, name) is not None]
    if not known and repetition.pelvic_tilt_range_deg is not None:
        known = [(repetition.pelvic_tilt_range_deg, "pelvic_tilt_range_deg")]
    if not known:
        return PartAdherence("range", least_deg, None, None, Keeping.UNMEASURED)
    done, name = min(known)
    sd = repetition.sd[name]
    keeping = Keeping.KEPT if done >= least_deg else Keeping.SHORT
    if abs(done - least_deg) < sd:
        keeping = Keeping.DOUBTFUL
    return PartAdherence("range", least_deg, done, sd, keeping)
