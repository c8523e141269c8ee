"""What an athlete did, set by set, as far as repetitions stand: the ground of exports. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor_bridge.archive.answers import ArchivedPrescription, ArchivedRepetition, SessionDetail
    from sensor_bridge.mqtt.payloads import Prescription


@dataclass(frozen=True, slots=True)
class PerformedSet:
    """A set.

    Parameters
    ----------
    number
        Of the set in its session.
    exercise, side
        Those of the set, or of its repetitions while it goes on.
    start_ms, end_ms
        UTC.
    repetitions
        Those that stand.
    load_kg
        As prescribed when it began; None where no load was.
    """

    number: int
    exercise: str
    side: str
    start_ms: float
    end_ms: float
    repetitions: int
    load_kg: float | None


def performed_sets(detail: SessionDetail) -> list[PerformedSet]:
    """List the sets of a session that hold a repetition that stands, in order of time."""
    standing: dict[int, list[ArchivedRepetition]] = {}
    for repetition in detail.repetitions:
        if repetition.status != "withdrawn":
            standing.setdefault(repetition.set, []).append(repetition)
    summaries = {each.set: each for each in detail.sets if not each.withdrawn}
    sets = []
    for number, repetitions in standing.items():
        summary = summaries.get(number)
        times = [time for each in repetitions for time in _times_ms(each)]
        if summary is not None:
            times += [time for time in (summary.start_ms, summary.end_ms) if time is not None]
        if not times:  # neither the set nor a repetition says when: nothing that could be placed
            continue
        start_ms = min(times)
        asked = prescribed_at(detail.prescriptions, start_ms)
        sets.append(
            PerformedSet(
                number=number,
                exercise=summary.exercise if summary else repetitions[-1].exercise,
                side=summary.side if summary else repetitions[-1].side,
                start_ms=start_ms,
                end_ms=max(times),
                repetitions=len(repetitions),
                load_kg=asked.load_kg if asked else None,
            )
        )
    return sorted(sets, key=lambda each: each.start_ms)


def prescribed_at(prescriptions: Sequence[ArchivedPrescription], time_ms: float) -> Prescription | None:
    """Find what was asked at a time, UTC ms; None where nothing was, or it was taken away."""
    before = [each for each in prescriptions if each.since_ms <= time_ms]
    return before[-1].asked if before else None


def _times_ms(repetition: ArchivedRepetition) -> list[float]:
    moments = (
        repetition.eccentric_start_ms,
        repetition.eccentric_end_ms,
        repetition.concentric_start_ms,
        repetition.concentric_end_ms,
    )
    return [moment for moment in moments if moment is not None]
