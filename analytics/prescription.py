"""What was asked of the athlete: exercise, repetitions, sets, side and tempo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analytics.exercises import Exercise, Side


@dataclass(frozen=True, slots=True)
class Tempo:
    """Seconds of each part of a repetition, always eccentric first, also for bridges (METRICS).

    Parameters
    ----------
    eccentric_s, bottom_s, top_s
        Durations, s.
    concentric_s
        Duration, s; ``None`` where ``X`` was written: as fast as possible.

    Raises
    ------
    ValueError
        A duration that is negative or not finite.
    """

    eccentric_s: float
    bottom_s: float = 0.0
    concentric_s: float | None = None
    top_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("eccentric_s", "bottom_s", "concentric_s", "top_s"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"tempo: {name} must be a duration of 0 s or more, not {value}")

    def __str__(self) -> str:
        parts = (self.eccentric_s, self.bottom_s, self.concentric_s, self.top_s)
        return "-".join("X" if part is None else f"{part:g}" for part in parts)


_TEMPO_PARTS = ("eccentric", "bottom", "concentric", "top")


def parse_tempo(text: str) -> Tempo:
    """Read a tempo such as ``5-0-X-0``: eccentric, bottom, concentric, top, in seconds.

    Parameters
    ----------
    text
        Four parts joined by ``-``; each a number of seconds, the concentric also ``X``.

    Raises
    ------
    ValueError
        One line that says which part is wrong and how to write it.
    """
    parts = [part.strip() for part in text.strip().split("-")]
    if len(parts) != len(_TEMPO_PARTS):
        raise ValueError(
            f"tempo {text!r} has {len(parts)} part{'' if len(parts) == 1 else 's'}, not 4: "
            "write eccentric-bottom-concentric-top in seconds, such as 5-0-X-0"
        )
    seconds: list[float | None] = []
    for name, part in zip(_TEMPO_PARTS, parts, strict=True):
        if part.upper() == "X":
            if name != "concentric":
                raise ValueError(f"tempo {text!r}: only the concentric may be X, write the {name} in seconds")
            seconds.append(None)
            continue
        try:
            value = float(part)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(
                f"tempo {text!r}: the {name} is {part!r}, write a number of seconds"
                + (" or X" if name == "concentric" else "")
            )
        seconds.append(value)
    eccentric_s, bottom_s, concentric_s, top_s = seconds
    assert eccentric_s is not None
    assert bottom_s is not None
    assert top_s is not None
    return Tempo(eccentric_s, bottom_s, concentric_s, top_s)


@dataclass(frozen=True, slots=True)
class Prescription:
    """What was asked; every part may be left open.

    Parameters
    ----------
    exercise
        The declared exercise; ``None``: the movements shall tell.
    repetitions, sets
        Targets, or ``None``.
    side
        Working side; ``None`` where it was not said.
    tempo
        Asked tempo, or ``None``.
    minimum_range_deg
        Least range of the working hip (pelvic tilt without a thigh sensor), degrees, or ``None``.
    load_kg, is_supported
        Weight, and whether a hand rests on something: told by people, no sensor sees it; ``None``: not said.

    Raises
    ------
    ValueError
        A target below 1, a range outside 0 to 180 degrees, or a load that is negative or not finite.
    """

    exercise: Exercise | None
    repetitions: int | None = None
    sets: int | None = None
    side: Side | None = None
    tempo: Tempo | None = None
    minimum_range_deg: float | None = None
    load_kg: float | None = None
    is_supported: bool | None = None

    def __post_init__(self) -> None:
        for name in ("repetitions", "sets"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"prescription: {name} must be 1 or more, not {value}")
        least = self.minimum_range_deg
        if least is not None and not 0 < least <= 180:
            raise ValueError(f"prescription: minimum_range_deg must lie in 0 to 180, not {least}")
        if self.load_kg is not None and not (math.isfinite(self.load_kg) and self.load_kg >= 0):
            raise ValueError(f"prescription: load_kg must be 0 or more, not {self.load_kg}")
