"""Lost data: what holes do to the count and to what follows them, against the same recording without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.batch import analyse
from analytics.imu import ImuBlock, Placement
from benchmarks.accuracy.events import match, verdicts
from benchmarks.accuracy.layout import Line, high, number, share, table
from benchmarks.accuracy.virtual_set import (
    BOUNDARIES,
    blocks_of,
    description_of,
    setup_of,
    true_spans_s,
    untimed_spans_s,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import hardware_sim
    from analytics.pipeline_output import RepetitionEvent
    from benchmarks.accuracy.events import Verdicts
    from benchmarks.accuracy.grid import Case
    from benchmarks.accuracy.virtual_set import Row


@dataclass(frozen=True, slots=True)
class Hole:
    """Lost data: from, for how long, and on which sensors."""

    start_s: float
    length_s: float
    placements: tuple[Placement, ...]


def with_holes(blocks: Iterable[ImuBlock], holes: Sequence[Hole]) -> list[ImuBlock]:
    """Lose the samples inside the holes."""
    parts: list[ImuBlock] = []
    for block in blocks:
        rate_hz = block.sampling_rate_hz
        at_s = block.start_time_ns * 1e-9 + np.arange(len(block)) / rate_hz
        lost = np.zeros(len(block), dtype=np.bool_)
        for hole in holes:
            if block.placement in hole.placements:
                lost |= (at_s >= hole.start_s) & (at_s < hole.start_s + hole.length_s)
        edges = np.flatnonzero(np.diff((~lost).astype(np.int8), prepend=0, append=0))
        end_before = 0
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            parts.append(
                ImuBlock(
                    placement=block.placement,
                    start_time_ns=block.time_ns(start),
                    sampling_rate_hz=rate_hz,
                    acc_m_s2=block.acc_m_s2[start:end],
                    gyr_rad_s=block.gyr_rad_s[start:end],
                    gap_before_s=(start - end_before) / rate_hz if start else 0.0,
                )
            )
            end_before = end
    return parts


def lost_data_rows(case: Case, performance: hardware_sim.Performance) -> tuple[Row, Row]:
    """Run a case again with one to three holes, of half a second and of two to four, and score the count."""
    unbroken = verdicts(analyse(blocks_of(performance, case.late_start_s), setup_of(case)))
    short, long = (lost_data_row(case, performance, unbroken, longest_s=longest) for longest in (0.5, 4.0))
    return short, long


def lost_data_row(
    case: Case, performance: hardware_sim.Performance, unbroken: Verdicts, *, longest_s: float
) -> Row:
    """Run a case again with holes.

    Parameters
    ----------
    case, performance
        A case and what was done.
    unbroken
        What is said of it without holes.
    longest_s
        Holes last between half of this and this.
    """
    generator = np.random.default_rng([case.seed, round(1000 * longest_s)])
    spans = true_spans_s(performance.truth)
    placements = tuple(Placement(worn.placement) for worn in case.scenario.sensors)
    holes = []
    for _ in range(int(generator.integers(1, 4))):
        start_s, end_s = spans[int(generator.integers(len(spans)))]
        which = (
            placements
            if generator.random() < 0.5
            else (placements[int(generator.integers(len(placements)))],)
        )
        length_s = longest_s if longest_s <= 0.5 else float(generator.uniform(0.5 * longest_s, longest_s))
        holes.append(Hole(float(generator.uniform(start_s, end_s)), length_s, which))
    blocks = with_holes(blocks_of(performance, case.late_start_s), holes)
    said = verdicts(analyse(blocks, setup_of(case)))
    untimed = untimed_spans_s(performance.truth)
    matching = match(said.repetitions, spans, untimed)
    matching_unbroken = match(unbroken.repetitions, spans, untimed)
    touched = {
        k
        for k, (start_s, end_s) in enumerate(spans)
        for hole in holes
        if hole.start_s < end_s + 2.0 and hole.start_s + hole.length_s > start_s
    }
    after = [k for k in range(len(spans)) if k not in touched]
    by_index, by_index_unbroken = dict(matching.pairs), dict(matching_unbroken.pairs)
    first_hole_s = min(hole.start_s for hole in holes)
    shifts = [
        abs(broken_ns - whole_ns) * 1e-9
        for k in after
        if k in by_index and k in by_index_unbroken and spans[k][0] > first_hole_s
        for broken_ns, whole_ns in _boundaries_ns(by_index[k], by_index_unbroken[k])
    ]
    silent = sum(
        1 for k in touched if k in by_index and _is_silent(by_index[k]) and _is_inside(spans[k], holes)
    )
    return description_of(case) | {
        "true": len(spans),
        "missed": len(matching.missed) + matching.untimed_missed,
        "doubles": matching.doubles,
        "extra": matching.extra,
        "missed_untouched": sum(k in matching.missed and k in by_index_unbroken for k in after),
        "untouched": len(after),
        "touched": len(touched),
        "silent": silent,
        "shifts_s": shifts,
    }


def _boundaries_ns(broken: RepetitionEvent, whole: RepetitionEvent) -> list[tuple[int, int]]:
    """Return the boundaries known both with and without holes, integer ns."""
    pairs = [
        (getattr(broken.repetition, f"{name}_ns"), getattr(whole.repetition, f"{name}_ns"))
        for name in BOUNDARIES
    ]
    return [(a, b) for a, b in pairs if a is not None and b is not None]


def _is_silent(event: RepetitionEvent) -> bool:
    """Neither a warning nor a missing figure betrays the hole."""
    told = [why for why in event.repetition.reasons.values() if "missing" in why]
    return not event.repetition.warnings and not told


def _is_inside(span_s: tuple[float, float], holes: Sequence[Hole]) -> bool:
    return any(h.start_s > span_s[0] + 0.3 and h.start_s + h.length_s < span_s[1] - 0.3 for h in holes)


def lost_data_table(short: Sequence[Row], long: Sequence[Row]) -> str:
    """Lay out counts with holes."""
    return table(
        "Lost data, one to three holes a recording",
        (
            "holes",
            "recordings",
            "exact %",
            "missed because of holes, whole repetitions",
            "extra",
            "doubles",
            "touched repetitions published without a word",
            "p95 of what later boundaries moved, s",
        ),
        (
            (
                name,
                len(rows),
                number(100.0 * float(np.mean([_is_exact(row) for row in rows])), 1),
                share(sum(row["missed_untouched"] for row in rows), sum(row["untouched"] for row in rows)),
                sum(row["extra"] for row in rows),
                sum(row["doubles"] for row in rows),
                share(sum(row["silent"] for row in rows), sum(row["touched"] for row in rows)),
                number(high([shift for row in rows for shift in row["shifts_s"]]), 3),
            )
            for name, rows in (("0.5 s", short), ("2-4 s", long))
            if rows
        ),
    )


def _is_exact(row: Row) -> bool:
    return bool(row["missed"] == row["doubles"] == row["extra"] == 0)


def lost_data_lines(short: Sequence[Row], long: Sequence[Row]) -> list[Line]:
    """Judge lost data."""
    exact = sum(_is_exact(row) for row in short)
    silent = sum(row["silent"] for row in long)
    missed = sum(row["missed_untouched"] for row in long)
    shift_s = high([shift for row in long for shift in row["shifts_s"]])
    return [
        Line(
            "holes of 0.5 s",
            "counts exact",
            share(exact, len(short)),
            exact == len(short) if short else None,
        ),
        Line(
            "longer holes",
            "marked unmeasured, nothing after shifted",
            f"{silent} published without a word, {missed} whole repetitions missed, "
            f"later boundaries moved by {number(shift_s, 3)} s (p95)",
            bool(silent == 0 and missed == 0 and shift_s <= 0.06) if long else None,
        ),
    ]
