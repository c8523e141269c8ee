"""What a report says of a session: numbers as people read them, and sentences. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sensor_bridge.commands.watch_words import fault_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor_bridge.archive.answers import ArchivedNote
    from sensor_bridge.archive.progress import Sides
    from sensor_bridge.mqtt.measures import PartAdherence, SetAdherence
    from sensor_bridge.mqtt.payloads import FoundFault, Prescription, Repetition

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"

LABELS = {
    "eccentric_s": "lowering",
    "bottom_pause_s": "hold",
    "top_pause_s": "hold",
    "concentric_s": "rise",
    "tut_s": "time under tension",
    "hip_flexion_range_deg": "hip range",
    "hip_flexion_left_range_deg": "left hip",
    "hip_flexion_right_range_deg": "right hip",
    "pelvic_tilt_range_deg": "pelvic tilt",
    "pelvic_obliquity_peak_deg": "level",
    "pelvic_rotation_range_deg": "rotation",
    "lockout_deficit_deg": "lock-out",
    "hinge_share": "hinge share",
    "concentric_mean_deg_s": "rising speed",
}
"""Quantities as coaches call them."""

_PARTS = {
    "eccentric": ("whole lowering", "s"),
    "bottom": ("hold at the bottom", "s"),
    "concentric": ("whole rise", "s"),
    "top": ("pause at the top", "s"),
    "range": ("hip range", "°"),
}
_NOTES = {
    "note": "note",
    "not_a_repetition": "not a repetition",
    "missed_repetition": "a repetition was missed",
}


def number(value: float, digits: int, *, is_signed: bool = False) -> str:
    """Write a number with a real minus sign and never as ``-0``."""
    text = f"{value:.{digits}f}"
    unsigned = text.lstrip("-")
    if float(unsigned) == 0.0:
        return unsigned
    return f"{MINUS}{unsigned}" if text.startswith("-") else f"+{text}" if is_signed else text


def doubt(sd: float | None, digits: int) -> str:
    """Write a one-sigma behind its value; a small one has a digit more, and is never told as none."""
    if sd is None:
        return ""
    shown = max(digits, 1)
    if float(f"{sd:.{shown}f}") > 0.0:
        return f"±{number(sd, shown)}"
    return f"±{number(max(sd, 10.0 ** -(shown + 1)), shown + 1)}"


def with_unit(value: float, digits: int, unit: str, *, is_signed: bool = False) -> str:
    """Write a number with its unit; degrees stand close."""
    space = "" if unit in {"", "°"} else " "
    return f"{number(value, digits, is_signed=is_signed)}{space}{unit}"


def moment(time_ms: float) -> datetime:
    """Turn UTC ms since 1970 into this machine's local time."""
    return datetime.fromtimestamp(time_ms / 1000.0).astimezone()


def date_and_time(time_ms: float) -> str:
    """``Saturday 21 November 2026, 18:05 (UTC+01:00)``."""
    then = moment(time_ms)
    offset = f"{then:%z}"
    return f"{then:%A} {then.day} {then:%B %Y, %H:%M} (UTC{offset[:3]}:{offset[3:]})"


def time_of_day(time_ms: float) -> str:
    """``18:05:32``, local."""
    return f"{moment(time_ms):%H:%M:%S}"


def minutes_and_seconds(seconds: float) -> str:
    """``1:32``."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 set``, ``2 sets``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def fault_sentence(fault: FoundFault) -> str:
    """Say what was wrong, and the limit it passed."""
    words = fault_words(fault.code, fault.value)
    about = []
    unit, digits = ("s", 1) if fault.code in {"fast_eccentric", "uneven_tempo"} else ("°", 0)
    if fault.value is not None and fault.threshold is not None and fault.code != "knee_dominant":
        about.append(f"limit {with_unit(fault.threshold, digits, unit)}")
    if fault.kind == "proxy":
        about.append("estimated")
    return f"{words} ({', '.join(about)})" if about else words


def repetition_words(repetition: Repetition, found: Sequence[FoundFault]) -> list[str]:
    """Say what is to be said of a repetition, faults first; empty where nothing is."""
    missed = [part for part in repetition.adherence if part.keeping in {"short", "long"}]
    tempo_told = any(part.part == "eccentric" for part in missed)
    said = [fault_sentence(fault) for fault in found if not (fault.code == "fast_eccentric" and tempo_told)]
    said += [part_words(part) for part in missed]
    if repetition.status == "unconfirmed":
        said.append("counted, but not a clear one")
    return said


def part_words(part: PartAdherence) -> str:
    """Say how a part of the prescription was missed: ``whole lowering 4.1 s instead of 5 s``."""
    name, unit = _PARTS.get(part.part, (part.part.replace("_", " "), ""))
    digits = 1 if unit == "s" else 0
    done = NOTHING if part.done is None else with_unit(part.done, digits, unit)
    asked = with_unit(part.asked, 0 if part.asked == round(part.asked) else 1, unit)
    return f"{name} {done} instead of {asked}"


def asked_words(asked: Prescription) -> str:
    """Say what was prescribed: ``3 sets of 8, 5-0-X-0, at least 60°, 20 kg, with support``."""
    said = []
    if asked.repetitions is not None and asked.sets is not None:
        said.append(f"{counted(asked.sets, 'set')} of {asked.repetitions}")
    elif asked.repetitions is not None:
        said.append(counted(asked.repetitions, "repetition"))
    parts = (asked.eccentric_s, asked.bottom_s, asked.concentric_s, asked.top_s)
    if any(part is not None for part in parts):
        # Of a tempo only the concentric may be "as fast as possible"; another part that is null is free.
        letters = ("?", "?", "X", "?")
        written = [free if part is None else f"{part:g}" for part, free in zip(parts, letters, strict=True)]
        said.append("-".join(written))
    if asked.minimum_range_deg is not None:
        said.append(f"at least {with_unit(asked.minimum_range_deg, 0, '°')}")
    if asked.load_kg is not None:
        said.append(f"{asked.load_kg:g} kg")
    if asked.is_supported:
        said.append("with support")
    return ", ".join(said)


def adherence_words(asked: SetAdherence, done: int) -> str:
    """Say how a set kept to its prescription."""
    said = [
        f"{done} of {counted(asked.repetitions_asked, 'repetition')} asked"
        if asked.repetitions_asked is not None
        else counted(done, "repetition")
    ]
    if asked.parts_judged:
        said.append(f"{asked.parts_kept} of {asked.parts_judged} parts of tempo and range kept")
    else:
        said.append("tempo and range could not be judged")
    if asked.is_side_kept is False:
        said.append("the other side was asked for")
    return ", ".join(said)


def sides_verdict(sides: Sides, digits: int, unit: str) -> str:
    """Say whether the sides differ: a difference that the measurement could make is none."""
    if sides.detectable is None:
        return "too few repetitions to compare"
    if not sides.is_difference:
        return "no difference that can be told"
    more = "left" if sides.difference > 0.0 else "right"
    return f"{more} more by {with_unit(abs(sides.difference), digits, unit)}"


def note_words(note: ArchivedNote) -> str:
    """Name the kind of a note."""
    return _NOTES.get(note.kind, note.kind.replace("_", " "))
