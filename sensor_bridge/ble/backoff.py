"""How long to wait before trying again."""

from __future__ import annotations

import random


class Backoff:
    """Waiting times that grow and scatter, so that sensors lost together do not come back in step.

    Parameters
    ----------
    first_s
        Longest first wait, s.
    longest_s
        Longest wait of all, s.
    generator
        Where the scatter comes from.
    """

    def __init__(
        self, *, first_s: float = 0.25, longest_s: float = 10.0, generator: random.Random | None = None
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._random = generator or random.Random()
        self._failures = 0

    def reset(self) -> None:
        """Begin anew: it had worked for a while."""
        self._failures = 0

    def next_s(self) -> float:
        """Return how long to wait now, s: half to all of a bound that doubles with every call."""
        bound_s = min(self._first_s * 2.0**self._failures, self._longest_s)
        self._failures = min(self._failures + 1, 32)
        return bound_s * self._random.uniform(0.5, 1.0)
