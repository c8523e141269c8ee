"""What can go wrong in the body.

::

    AnalyticsError
    ├── MixedSamplingRates     two sensors on different grids
    ├── BlockOutOfOrder        a block that begins before the previous one ended
    ├── ImplausibleCalibration errors that no sensor in order has
    └── ModelUnusable          a stored model that does not fit what is installed
"""

from __future__ import annotations


class AnalyticsError(Exception):
    """Root of all errors of this package; the text is one line that says what to mend."""


class MixedSamplingRates(AnalyticsError):
    """Blocks of one pipeline do not share one sampling rate."""

    def __init__(self, placement: str, found_hz: float, expected_hz: float) -> None:
        super().__init__(
            f"{placement} has {found_hz:g} Hz where {expected_hz:g} Hz came before: "
            "resample all sensors to one grid first"
        )
        self.placement = placement
        self.found_hz = found_hz
        self.expected_hz = expected_hz


class BlockOutOfOrder(AnalyticsError):
    """A block begins before the previous one of its placement ended."""

    def __init__(self, placement: str, overlap_s: float) -> None:
        super().__init__(
            f"{placement}: a block begins {overlap_s:.3f} s before the previous one ended: sort them"
        )
        self.placement = placement
        self.overlap_s = overlap_s


class ModelUnusable(AnalyticsError):
    """A stored model cannot be used; the text says why, and what to do."""


class ImplausibleCalibration(AnalyticsError):
    """No sensor in order has these errors; the text says which."""
