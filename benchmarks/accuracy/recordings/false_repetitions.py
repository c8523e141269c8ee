"""Repetitions counted where there were none, over all recordings of walking, jogging, stairs and jumping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.batch import analyse
from analytics.imu import ImuBlock, Mount
from analytics.pipeline import AthleteSetup
from analytics.pipeline_output import CalibrationEvent, RepetitionEvent
from benchmarks.accuracy.events import verdicts
from benchmarks.accuracy.layout import Line, number, share, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Outing:
    """A stretch without repetitions.

    Parameters
    ----------
    data_set, what
        Where it is from, and what was done.
    worn
        Sensors, in words.
    start
        ``alone``, or ``behind a hinge``: the axis is known beforehand.
    blocks
        Samples.
    ignored_s
        Length of the real hinge in front.
    """

    data_set: str
    what: str
    worn: str
    start: str
    blocks: tuple[ImuBlock, ...]
    ignored_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """Length without holes and without the hinge in front, s."""
        first = self.blocks[0].placement
        samples = sum(len(block) for block in self.blocks if block.placement is first)
        return samples / self.blocks[0].sampling_rate_hz - self.ignored_s


@dataclass(frozen=True, slots=True)
class Walked:
    """What an outing came to."""

    outing: Outing
    published: int
    left: int
    is_calibrated: bool


def walk(outing: Outing) -> Walked:
    """Run an outing through a pipeline that knows no mount."""
    setup = AthleteSetup({block.placement: Mount.UNKNOWN for block in outing.blocks})
    output = analyse(outing.blocks, setup)
    after_ns = outing.ignored_s * 1e9
    published = [
        event
        for event in output.events
        if isinstance(event, RepetitionEvent)
        and event.revision == 0
        and event.repetition.bottom_ns >= after_ns
    ]
    left = [event for event in verdicts(output).repetitions if event.repetition.bottom_ns >= after_ns]
    is_calibrated = any(isinstance(event, CalibrationEvent) for event in output.events)
    return Walked(outing, len(published), len(left), is_calibrated)


def report(outings: Iterable[Outing]) -> tuple[str, list[Line]]:
    """Count what is published in 30 minutes."""
    walked = [walk(outing) for outing in outings]
    groups: dict[tuple[str, str, str, str], list[Walked]] = {}
    for entry in walked:
        o = entry.outing
        groups.setdefault((o.worn, o.start, o.data_set, o.what), []).append(entry)
    text = table(
        "False repetitions on people who do none, mount unknown, nothing asked",
        (
            "worn",
            "start",
            "data set",
            "movement",
            "recordings",
            "minutes",
            "zero found %",
            "published",
            "left at the end",
            "published in 30 min",
        ),
        (
            (
                *key,
                len(group),
                number(_minutes(group), 1),
                number(100.0 * sum(entry.is_calibrated for entry in group) / len(group), 0),
                sum(entry.published for entry in group),
                sum(entry.left for entry in group),
                number(30.0 * sum(entry.published for entry in group) / _minutes(group), 1),
            )
            for key, group in sorted(groups.items())
        ),
    )
    moving = [entry for entry in walked if "gesture" not in entry.outing.what]
    lines = []
    for told, worn, start, most in (
        ("pelvis only", ("pelvis",), "alone", 2.0),
        ("pelvis only, the same behind a hinge (axis known)", ("pelvis",), "behind a hinge", 2.0),
        ("with a thigh", ("pelvis + thigh",), "alone", 1.0),
        ("thigh alone", ("thigh",), "alone", 1.0),
    ):
        group = [e for e in moving if e.outing.worn in worn and e.outing.start == start]
        if not group:
            continue
        published = sum(entry.published for entry in group)
        rate = 30.0 * published / _minutes(group)
        known = share(sum(entry.is_calibrated for entry in group), len(group), 0)
        lines.append(
            Line(
                f"false repetitions on walking, jogging, stairs, jumping: {told}",
                f"<= {most:g} in 30 min",
                f"{number(rate, 1)} ({published} in {number(_minutes(group), 0)} min; zero found in {known})",
                bool(rate <= most),
            )
        )
    return text, lines


def _minutes(group: Sequence[Walked]) -> float:
    return sum(entry.outing.duration_s for entry in group) / 60.0
