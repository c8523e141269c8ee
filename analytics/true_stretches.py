"""Where a condition holds without a break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def true_stretches(holds: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first sample and the one after the last of each stretch of True.

    Parameters
    ----------
    holds
        Shape (n,).
    """
    if holds.all():
        return [(0, len(holds))] if len(holds) else []
    edges = np.flatnonzero(holds[1:] != holds[:-1]) + 1
    ends = edges.tolist()
    if holds[0]:
        ends.insert(0, 0)
    if holds[-1]:
        ends.append(len(holds))
    return list(zip(ends[::2], ends[1::2], strict=True))
