"""Tables as text that is also Markdown, and the acceptance lines under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Line:
    """One acceptance line.

    Parameters
    ----------
    what, target
        What is asked for.
    figure
        What was found.
    is_met
        Whether it is enough; ``None`` where nothing was there to measure.
    """

    what: str
    target: str
    figure: str
    is_met: bool | None

    @property
    def verdict(self) -> str:
        """In a word."""
        return {True: "met", False: "MISSED", None: "not measured"}[self.is_met]


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a table in aligned Markdown."""
    cells = [list(header), *([str(value) for value in row] for row in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(header))]
    lines = [
        "| " + " | ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([f"### {title}", "", lines[0], rule, *lines[1:], ""])


def summary(lines: Iterable[Line]) -> str:
    """Lay out the acceptance lines."""
    return table(
        "Acceptance",
        ("what", "target", "figure", ""),
        ((line.what, line.target, line.figure, line.verdict) for line in lines),
    )


def number(value: float | None, digits: int = 2) -> str:
    """Write a figure, or a dash where there is none."""
    if value is None or not np.isfinite(value):
        return "-"
    return f"{value:.{digits}f}"


def share(part: float, whole: float, digits: int = 1) -> str:
    """Write a percentage with what it is of."""
    return "-" if not whole else f"{100.0 * part / whole:.{digits}f} % of {whole:g}"


def middle(values: Sequence[float]) -> float:
    """Median; NaN of nothing."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else float("nan")


def high(values: Sequence[float], percent: float = 95.0) -> float:
    """Percentile; NaN of nothing."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(np.percentile(known, percent)) if len(known) else float("nan")
