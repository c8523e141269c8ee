"""A result/1 document as a table for people: a row a repetition, a line a set, and why a dash is a dash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from sensor_bridge.commands.set_words import set_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

# field, heading, unit, decimals
_COLUMNS = (
    ("eccentric_s", "down", "s", 2),
    ("bottom_pause_s", "bottom", "s", 2),
    ("concentric_s", "up", "s", 2),
    ("top_pause_s", "top", "s", 2),
    ("tut_s", "tension", "s", 2),
    ("pelvic_tilt_range_deg", "tilt", "°", 1),
    ("hip_flexion_left_range_deg", "hip left", "°", 1),
    ("hip_flexion_right_range_deg", "hip right", "°", 1),
    ("pelvic_obliquity_peak_deg", "obliquity", "°", 1),
    ("pelvic_rotation_range_deg", "rotation", "°", 1),
    ("lockout_deficit_deg", "lockout", "°", 1),
    ("hinge_share", "hinge share", "", 2),
)
_NARROWEST = 100
_MISSING = "\N{EN DASH}"


def print_result(console: Console, document: Mapping[str, Any]) -> None:
    """Print what was found.

    Parameters
    ----------
    console
        Where to; when it is no terminal, it is made wide enough not to cut the table.
    document
        result/1.
    """
    if not console.is_terminal:
        console.width = max(console.width, 200)
    repetitions = document["repetitions"]
    if not repetitions:
        console.print(f"no repetitions found in {document['duration_s']:.1f} s")
    for summary in document["sets"]:
        of_set = [entry for entry in repetitions if entry["set"] == summary["set"]]
        console.print(Text(_set_line(summary), style="bold"))
        if of_set:
            console.print(_table(of_set, wide=console.width >= _NARROWEST))
        for line in set_words(summary, of_set):
            console.print(Text(line))
    for line in _explanations(document):
        console.print(Text(line))


def _set_line(summary: Mapping[str, Any]) -> str:
    count = summary["repetitions"]
    parts = [
        f"set {summary['set']}: {count} repetition{'' if count == 1 else 's'}",
        f"{summary['exercise'].replace('_', ' ')} ({_share(summary['exercise_confidence'])})",
        f"side {summary['side']}",
        f"{summary['start_s']:.1f} to {summary['end_s']:.1f} s",
    ]
    if summary["tut_s"] is not None:
        parts.append(f"{summary['tut_s']:.1f} s under tension")
    return " · ".join(parts)


def _share(value: float | None) -> str:
    return "not sure" if value is None else f"{100 * value:.0f} % sure"


def _table(repetitions: Sequence[Mapping[str, Any]], *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("rep", justify="right")
    shown = [column for column in _COLUMNS if any(entry[column[0]] is not None for entry in repetitions)]
    for _, heading, unit, _ in shown:
        table.add_column(f"{heading} {unit}".strip(), justify="right", no_wrap=True)
    table.add_column("notes")
    for entry in repetitions:
        cells = [_cell(entry, field, decimals, wide=wide) for field, _, _, decimals in shown]
        table.add_row(str(entry["repetition"]), *cells, _notes(entry))
    return table


def _cell(entry: Mapping[str, Any], field: str, decimals: int, *, wide: bool) -> str:
    value = entry[field]
    if value is None:
        return _MISSING
    sd = entry["sd"].get(field)
    text = f"{value:.{decimals}f}"
    return f"{text} ± {sd:.{decimals}f}" if wide and sd is not None else text


def _notes(entry: Mapping[str, Any]) -> str:
    notes = [fault["code"].replace("_", " ") for fault in entry["faults"]]
    if entry["status"] != "confirmed":
        notes.insert(0, entry["status"])
    return ", ".join(notes)


def _explanations(document: Mapping[str, Any]) -> list[str]:
    """Say once why figures are missing, what is doubtful, and what was lost."""
    lines = []
    by_reason: dict[str, dict[str, None]] = {}
    headings = {field: heading for field, heading, _, _ in _COLUMNS}
    for entry in document["repetitions"]:
        for field, reason in entry["reasons"].items():
            if field in headings:
                by_reason.setdefault(reason, {})[headings[field]] = None
    lines += [f"{_MISSING} {', '.join(fields)}: {reason}" for reason, fields in by_reason.items()]
    for placement, calibration in document["calibration"].items():
        method, quality_deg = calibration["method"].replace("_", " "), calibration["quality_deg"]
        forward = "forward is not known" if quality_deg >= 180 else f"forward known to ± {quality_deg:.0f}°"
        lines.append(f"{placement.replace('_', ' ')}: calibrated by {method}, {forward}")
        lines += calibration["warnings"]
    lines += [
        f"broken off in set {aborted['set']} at {aborted['start_s']:.1f} s, {aborted['depth_deg']:.0f}° deep"
        for aborted in document["aborted"]
        if aborted["depth_deg"] is not None
    ]
    quality = document["data_quality"]
    if quality["gaps"]:
        lines.append(f"{quality['gaps']} gaps, {quality['lost_s']:.2f} s lost over all sensors")
    if quality["clipped_samples"]:
        lines.append(f"{quality['clipped_samples']} samples at the end of the sensor's range")
    return lines
