"""What stands in the report of a session: which numbers, in which order, and what could not be told. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from sensor_bridge.archive.performed_sets import prescribed_at
from sensor_bridge.archive.progress import sides_progress
from sensor_bridge.commands.watch_words import exercise_words, fault_words, spoken
from sensor_bridge.report.data_quality import not_measured_words, places, quality_words
from sensor_bridge.report.judgement import judge
from sensor_bridge.report.set_pictures import set_plot
from sensor_bridge.report.wording import (
    LABELS,
    NOTHING,
    adherence_words,
    asked_words,
    counted,
    date_and_time,
    doubt,
    minutes_and_seconds,
    note_words,
    number,
    repetition_words,
    sides_verdict,
    time_of_day,
    with_unit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sensor_bridge.archive.answers import ArchivedRepetition, ArchivedSet, SessionDetail
    from sensor_bridge.report.plots import AnglePlot, AngleStretch

_CURVES = {
    "hip_flexion_left_deg": "left hip",
    "hip_flexion_right_deg": "right hip",
    "pelvic_tilt_deg": "pelvic tilt",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table of repetitions; `working_side` is null where both legs work."""

    name: str
    unit: str
    digits: int
    is_signed: bool = False
    working_side: str | None = None

    @property
    def label(self) -> str:
        """As coaches call it."""
        is_free = self.name.startswith("hip_") and self.working_side not in {None, *self.name.split("_")}
        return f"{LABELS[self.name]}, free" if is_free else LABELS[self.name]


COLUMNS = (
    Column("eccentric_s", "s", 1),
    Column("bottom_pause_s", "s", 1),
    Column("concentric_s", "s", 1),
    Column("hip_flexion_left_range_deg", "°", 0),
    Column("hip_flexion_right_range_deg", "°", 0),
    Column("pelvic_tilt_range_deg", "°", 0),
    Column("pelvic_obliquity_peak_deg", "°", 1, is_signed=True),
    Column("lockout_deficit_deg", "°", 1, is_signed=True),
)

# A bridge begins with the rise, and is held at the top.
BRIDGE_COLUMNS = (Column("concentric_s", "s", 1), Column("top_pause_s", "s", 1), COLUMNS[0], *COLUMNS[3:])


@dataclass(frozen=True, slots=True)
class Cell:
    """A number and its one-sigma; `is_proxy` where it is an estimate."""

    value: str
    sd: str = ""
    is_proxy: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A repetition: its number, its figures, and what is to be said of it."""

    repetition: int
    mark: str
    cells: tuple[Cell, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetPart:
    """A set."""

    title: str
    about: str
    facts: tuple[tuple[str, str], ...]
    sentences: tuple[str, ...]
    plot: AnglePlot | None
    curves: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    medians: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class SidesLine:
    """A quantity on both sides: medians, and whether they differ."""

    exercise: str
    label: str
    left: Cell
    right: Cell
    least: str
    verdict: str
    is_difference: bool


@dataclass(frozen=True, slots=True)
class NoteLine:
    """What a person said: when, of what, who, and the words."""

    time: str
    kind: str
    of: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class SessionReport:
    """Everything that stands on the page."""

    athlete: str
    session: str
    when: str
    lead: str
    summary: tuple[tuple[str, str], ...]
    sets: tuple[SetPart, ...]
    sides: tuple[SidesLine, ...]
    notes: tuple[NoteLine, ...]
    events: tuple[str, ...]
    quality: tuple[str, ...]
    not_measured: tuple[str, ...]


def session_report(detail: SessionDetail, angles: AngleStretch | None) -> SessionReport:
    """Choose what is told of one athlete's part of a session.

    Parameters
    ----------
    detail
        From the archive, with what was taken back; that is not counted.
    angles
        Of the session; None where none were kept.
    """
    standing = [one for one in detail.repetitions if one.status != "withdrawn"]
    sets = [one for one in detail.sets if not one.withdrawn]
    by_set: dict[int, list[ArchivedRepetition]] = defaultdict(list)
    for one in standing:
        by_set[one.set].append(one)
    parts = tuple(
        _set_part(one, by_set[one.set], angles, _asked(detail, one, by_set[one.set])) for one in sets
    )
    tension_s = sum(one.tut_s for one in standing if one.tut_s is not None)
    watched = sum(judge(one).mark != "good" for one in standing)
    summary = [
        ("set" if len(sets) == 1 else "sets", str(len(sets))),
        ("repetition" if len(standing) == 1 else "repetitions", str(len(standing))),
        ("under tension", f"{minutes_and_seconds(tension_s)} min"),
        ("to look at", str(watched)),
    ]
    if detail.ended_ms is not None:
        lasted_s = (detail.ended_ms - detail.started_ms) / 1000.0
        summary.append(("session lasted", f"{minutes_and_seconds(lasted_s)} min"))
    return SessionReport(
        athlete=detail.name or detail.athlete,
        session=detail.session,
        when=date_and_time(detail.started_ms),
        lead=_lead(sets, standing),
        summary=tuple(summary),
        sets=parts,
        sides=tuple(_sides(detail, standing)),
        notes=tuple(_notes(detail)),
        events=tuple(
            f"{time_of_day(fault.t_ms)} {fault.text or fault_words(fault.code, fault.value)}"
            for fault in detail.faults
            if not fault.withdrawn
        ),
        quality=tuple(quality_words(sets, standing, angles)),
        not_measured=tuple(not_measured_words(standing)),
    )


def _lead(sets: Sequence[ArchivedSet], standing: Sequence[ArchivedRepetition]) -> str:
    if not standing:
        return "No repetition stands in this session."
    names = list(dict.fromkeys(exercise_words(one.exercise, one.side) for one in sets))
    found: dict[str, list[ArchivedRepetition]] = defaultdict(list)
    for one in standing:
        for fault in judge(one).found:
            found[fault.code].append(one)
    if not found:
        missed = [one for one in standing if judge(one).mark != "good"]
        but = f", but these want a look: {places(missed)}" if missed else ""
        return f"{'; '.join(names)}. No fault of form was found that the measurement could be sure of{but}."
    worst = sorted(found.items(), key=lambda item: -len(item[1]))[:3]
    told = [f"{fault_words(code, None)} ({places(where)})" for code, where in worst]
    return f"{'; '.join(names)}. To look at: {', '.join(told)}."


def _set_part(
    summary: ArchivedSet,
    repetitions: Sequence[ArchivedRepetition],
    angles: AngleStretch | None,
    asked: str,
) -> SetPart:
    side = None if summary.side == "both" else summary.side
    columns = tuple(
        replace(column, working_side=side)
        for column in (BRIDGE_COLUMNS if "bridge" in summary.exercise else COLUMNS)
        if any(getattr(one, column.name) is not None for one in repetitions)
    )
    plot = set_plot(summary, repetitions, angles)
    sentences = []
    if summary.adherence is not None:
        sentences.append(f"Against what was asked: {adherence_words(summary.adherence, len(repetitions))}.")
    if summary.form_broke_at is not None:
        sentences.append(f"Form broke at repetition {summary.form_broke_at}.")
    sentences += [
        f"The whole set: {fault_words(f.code, f.value)}." for f in summary.faults if f.repetition is None
    ]
    return SetPart(
        title=f"Set {summary.set}: {exercise_words(summary.exercise, summary.side)}",
        about=counted(len(repetitions), "repetition"),
        facts=(*((("asked", asked),) if asked else ()), *_facts(summary)),
        sentences=tuple(sentences),
        plot=plot,
        curves=tuple((curve.name, _CURVES[curve.name]) for curve in plot.curves) if plot else (),
        columns=columns,
        rows=tuple(_row(one, columns) for one in repetitions),
        medians=tuple(_median_cell(repetitions, column) for column in columns),
    )


def _asked(detail: SessionDetail, summary: ArchivedSet, repetitions: Sequence[ArchivedRepetition]) -> str:
    """Say what was prescribed when the set began; empty where nothing was."""
    times = [summary.start_ms, *(one.eccentric_start_ms for one in repetitions)]
    known = [time for time in times if time is not None]
    asked = prescribed_at(detail.prescriptions, min(known)) if known else None
    return "" if asked is None else asked_words(asked)


def _facts(summary: ArchivedSet) -> Iterable[tuple[str, str]]:
    if summary.start_ms is not None:
        yield "began", time_of_day(summary.start_ms)
    if summary.tut_s is not None:
        yield "under tension", _plus_minus(summary.tut_s, summary.sd.get("tut_s"), 1, "s")
    if summary.mean_eccentric_s is not None:
        yield (
            "mean lowering",
            _plus_minus(summary.mean_eccentric_s, summary.sd.get("mean_eccentric_s"), 1, "s"),
        )
    if summary.velocity_loss_percent:  # of the last rise; none where that is the fastest
        loss, sd = summary.velocity_loss_percent, summary.sd.get("velocity_loss_percent")
        yield "last rise slower than the fastest by", _plus_minus(loss, sd, 0, "%")
    if summary.exercise_confidence is not None:
        yield "exercise recognised", f"{100.0 * summary.exercise_confidence:.0f} % sure"


def _plus_minus(value: float, sd: float | None, digits: int, unit: str) -> str:
    return f"{number(value, digits)} {doubt(sd, digits)} {unit}"


def _row(repetition: ArchivedRepetition, columns: Sequence[Column]) -> Row:
    judgement = judge(repetition)
    return Row(
        repetition=repetition.repetition,
        mark=judgement.mark,
        cells=tuple(_cell(repetition, column) for column in columns),
        words=tuple(repetition_words(repetition, judgement.found)),
    )


def _cell(repetition: ArchivedRepetition, column: Column) -> Cell:
    value = getattr(repetition, column.name)
    if value is None:
        return Cell(NOTHING)
    return Cell(
        number(value, column.digits, is_signed=column.is_signed),
        doubt(repetition.sd.get(column.name), column.digits),
        repetition.kind.get(column.name) == "proxy",
    )


def _median_cell(repetitions: Sequence[ArchivedRepetition], column: Column) -> Cell:
    values = [value for one in repetitions if (value := getattr(one, column.name)) is not None]
    scatter = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Cell(
        number(median(values), column.digits, is_signed=column.is_signed), doubt(scatter, column.digits)
    )


def _sides(detail: SessionDetail, standing: Sequence[ArchivedRepetition]) -> Iterable[SidesLine]:
    for exercise in dict.fromkeys(one.exercise for one in standing):
        of_exercise = [one for one in standing if one.exercise == exercise]
        for name, about in sides_progress({(detail.session, detail.started_ms): of_exercise}).items():
            digits, unit, told = max(1, about.digits), about.unit, about.sessions[0]
            left, right = (
                Cell(with_unit(side.median, digits, unit), f"{doubt(side.sd_of_median, digits)} n {side.n}")
                for side in (told.left, told.right)
            )
            yield SidesLine(
                exercise=spoken(exercise),
                label=LABELS[name],
                left=left,
                right=right,
                least=NOTHING if told.detectable is None else with_unit(told.detectable, digits, unit),
                verdict=sides_verdict(told, digits, unit),
                is_difference=told.is_difference,
            )


def _notes(detail: SessionDetail) -> Iterable[NoteLine]:
    places = {one.id: f"set {one.set}, repetition {one.repetition}" for one in detail.repetitions}
    places |= {one.id: f"set {one.set}" for one in detail.sets}
    for note in detail.notes:
        if not note.withdrawn:
            yield NoteLine(
                time=time_of_day(note.at_ms),
                kind=note_words(note),
                of=places.get(note.event or "", ""),
                by=note.by,
                text=note.text,
            )
