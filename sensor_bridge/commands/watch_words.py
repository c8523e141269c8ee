"""The words of ``hipline watch``: phases, links, and how a repetition went, as a coach would say it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor_bridge.mqtt import payloads

MISSING = "\N{EN DASH}"

PHASES: dict[str, str] = {
    "unknown": "waiting",
    "calibrating": "stand still",
    "standing": "ready",
    "eccentric": "lowering",
    "bottom": "hold",
    "concentric": "up",
    "top": "top",
    "rest": "rest",
}

LINKS: dict[str, str] = {
    "scanning": "searching",
    "connecting": "connecting",
    "connected": "connected",
    "lost": "out of reach",
    "stopped": "stopped",
}

_LOW_BATTERY_PERCENT = 15.0
_WEAK_SIGNAL_DBM = -85.0
_NOTABLE_LOSS = 0.01

# What a fault means, without and with its value.
_FAULTS: dict[str, tuple[str, str]] = {
    "fast_eccentric": ("lowered too fast", "{:.1f} s down is too fast"),
    "incomplete_lockout": ("stopped short of standing", "stopped {:.0f}° short of standing"),
    "over_extension": ("leaned back past standing", "leaned back {:.0f}° past standing"),
    "pelvic_drop": ("pelvis tipped", "pelvis tipped {:.0f}°"),
    "hip_open": ("hips opened", "hips opened {:.0f}°"),
    "pelvic_rotation": ("pelvis turned", "pelvis turned {:.0f}°"),
    "knee_dominant": ("more knees than hips", "more knees than hips"),
    "balance_loss": ("lost balance", "lost balance"),
    "uneven_tempo": ("tempo not steady", "tempo {:.1f} s off the others"),
    "short_range": ("not deep enough", "only {:.0f}° deep"),
    "rounding_proxy": ("the back may have rounded", "the back may have rounded ({:.0f}°)"),
    "alternation_error": ("same foot twice", "same foot twice"),
    "hip_sag": ("hips sagged", "hips sagged {:.0f}°"),
    "repetition_aborted": ("broken off, not counted", "broken off at {:.0f}°, not counted"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a repetition went.

    Parameters
    ----------
    is_good
        Nothing to say against it.
    symbol, sentence
        In a character, and in words.
    """

    is_good: bool
    symbol: str
    sentence: str


def spoken(code: str) -> str:
    """Write a code as words: ``romanian_deadlift`` → ``Romanian deadlift``."""
    words = code.replace("_", " ")
    return words[:1].upper() + words[1:]


def printable(text: str) -> str:
    """Replace what could control a terminal; names come from outside."""
    return "".join(character if character.isprintable() else "?" for character in text)


def placement_words(code: str) -> str:
    """``thigh_left`` → ``left thigh``."""
    segment, _, side = code.partition("_")
    return f"{side} {segment}" if side else segment


def exercise_words(exercise: str, side: str) -> str:
    """Name an exercise, with its side where there is one."""
    return spoken(exercise) if side == "both" else f"{spoken(exercise)}, {side}"


def of_target(done: int, target: int | None) -> str:
    """``3 of 8``, or ``3`` where nothing was asked."""
    return str(done) if target is None else f"{done} of {target}"


def fault_words(code: str, value: float | None) -> str:
    """Say what was wrong."""
    plain, valued = _FAULTS.get(code, (spoken(code).lower(), spoken(code).lower()))
    return plain if value is None else valued.format(abs(value))


def verdict(repetition: payloads.Repetition) -> Verdict:
    """Say how a repetition went."""
    if repetition.status == "withdrawn":
        return Verdict(is_good=False, symbol=MISSING, sentence="taken back, it was none")
    if repetition.faults:
        found = ", ".join(fault_words(fault.code, fault.value) for fault in repetition.faults)
        return Verdict(is_good=False, symbol="△", sentence=f"watch: {found}")
    if repetition.status == "unconfirmed":
        return Verdict(is_good=False, symbol="△", sentence="counted, but not a clear one")
    return Verdict(is_good=True, symbol="✓", sentence="good")


def tempo_words(repetition: payloads.Repetition) -> str:
    """Say how long the phases took."""
    parts = (
        ("down", repetition.eccentric_s),
        ("up", repetition.concentric_s),
    )
    return ", ".join(
        f"{value:.1f} s {name}" if value is not None else f"{MISSING} {name}" for name, value in parts
    )


def range_words(repetition: payloads.Repetition) -> str:
    """Say how far pelvis and hips went; what is not measured is left out."""
    parts = (
        ("tilt", repetition.pelvic_tilt_range_deg),
        ("left hip", repetition.hip_flexion_left_range_deg),
        ("right hip", repetition.hip_flexion_right_range_deg),
    )
    return ", ".join(f"{name} {value:.0f}°" for name, value in parts if value is not None)


def sensor_words(sensor: payloads.SensorStatus) -> str:
    """Say how a sensor's link and battery are, and what is wrong with them."""
    parts = [LINKS[sensor.link]]
    percent = sensor.battery_percent
    if percent is None:
        parts.append("battery unknown")
    else:
        low = " low" if percent < _LOW_BATTERY_PERCENT else ""
        parts.append(f"battery{low} {percent:.0f} %")
    if sensor.link == "connected" and sensor.rssi_dbm is not None and sensor.rssi_dbm < _WEAK_SIGNAL_DBM:
        parts.append("weak signal")
    made = sensor.received + sensor.backfilled + sensor.lost
    if made and sensor.lost / made >= _NOTABLE_LOSS:
        parts.append(f"{100 * sensor.lost / made:.0f} % of samples lost")
    if sensor.missing:
        parts.append(f"{sensor.missing} samples still to be fetched")
    told = ", ".join(parts)
    return told if sensor.reason is None else f"{told}: {printable(sensor.reason)}"


def health_words(sensor: payloads.SensorStatus) -> str:
    """Give the figures of a sensor's link; what is not known yet is left out."""
    parts = [
        (sensor.sampling_rate_hz, "{:g} Hz"),
        (sensor.connection_interval_ms, "interval {:g} ms"),
        (sensor.rssi_dbm, "{:.0f} dBm"),
        (sensor.clock_residual_ms, "jitter {:.0f} ms"),
        (sensor.clock_drift_ppm, "clock {:+.0f} ppm"),
    ]
    words = [form.format(value) for value, form in parts if value is not None]
    if "loss" not in sensor.lacks:
        words.append(f"{sensor.received} samples, {sensor.lost} lost")
    else:
        words.append(f"{sensor.received} samples, lost ones cannot be counted")
    if "clock" in sensor.lacks:
        words.append("timed by arrival")
    if "gyroscope" in sensor.lacks:
        words.append("no gyroscope")
    if sensor.gaps:
        words.append(f"{sensor.gaps} gap{'s' if sensor.gaps > 1 else ''} of {sensor.lost_s:.1f} s")
    counts = (
        (sensor.duplicated, "doubled"),
        (sensor.rejected, "refused"),
        (sensor.dropped, "dropped"),
        (sensor.overflow, "lost in the sensor"),
        (sensor.reconnects, "reconnects"),
    )
    return ", ".join(words + [f"{count} {what}" for count, what in counts if count])


def is_in_trouble(sensor: payloads.SensorStatus) -> bool:
    """Whether a sensor needs a look."""
    percent = sensor.battery_percent
    is_away = sensor.link in {"lost", "stopped"} or sensor.reason is not None
    return is_away or (percent is not None and percent < _LOW_BATTERY_PERCENT)


def count_words(elapsed_s: float, target_s: float | None) -> str:
    """Count a lowering as a coach does: 1 … 5, then what is over."""
    if target_s is None or target_s <= 0:
        return str(math.floor(max(0.0, elapsed_s)) + 1)
    last = math.ceil(target_s - 1e-6)
    called = min(math.floor(max(0.0, elapsed_s)) + 1, last)
    over_s = elapsed_s - target_s
    return f"{called} of {target_s:g}" + (f" +{over_s:.1f} s" if over_s >= 0.05 else "")


def count_pips(elapsed_s: float, target_s: float | None) -> str:
    """Draw a lowering as one pip a second."""
    done = math.floor(max(0.0, elapsed_s)) + 1
    total = 5 if target_s is None or target_s <= 0 else math.ceil(target_s - 1e-6)
    total = min(12, total)
    return "●" * min(done, total) + "○" * max(0, total - done)
