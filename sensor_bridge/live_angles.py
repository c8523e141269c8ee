"""Thins angles to what live messages carry: evenly spaced, one message following the other without a seam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensor_bridge.recording.analysis import ANGLE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.angles import AngleBlock
    from analytics.imu import FloatArray

LIVE_RATE_HZ = 50.0
"""Largest rate of the samples in live messages."""

_PERIOD_S = (
    0.08  # messages are 0.08 to 0.16 s apart, about ten a second, or one a frame where those are longer
)
_LONGEST_S = 20.0  # older angles (all since the start, when the calibration has just been found) are not live


@dataclass(frozen=True, slots=True, eq=False)
class LiveSamples:
    """The samples of one message.

    Parameters
    ----------
    last_ns
        Time of the last sample on the pipeline's timeline, integer ns.
    rate_hz
        The samples are 1/rate_hz apart.
    angles_deg
        Angles by the columns of the angle file, degrees, NaN where nothing can be said, shape (n,) each.
    """

    last_ns: int
    rate_hz: float
    angles_deg: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Kept samples of one block."""

    last_ns: int
    angles_deg: Mapping[str, FloatArray]


class LiveAngles:
    """Gathers angles until a message is due; the sample after a message's last is the next one's first."""

    def __init__(self) -> None:
        self._rate_hz = 0.0
        self._expected_ns = 0  # where the next block begins if nothing is missing
        self._skip = 0  # samples until the next kept one
        self._n_taken = 0  # samples since the last message, thinned out or not
        self._runs: list[_Run] = []

    def push(self, blocks: Iterable[AngleBlock]) -> list[LiveSamples]:
        """Take the next angles; return what is due, one message for each stretch without a hole."""
        ready: list[LiveSamples] = []
        for block in blocks:
            if not len(block):
                continue
            if not self._continues(block):
                ready += self._message()
                self._rate_hz = block.sampling_rate_hz
                self._skip = 0
            self._keep(block)
        if self._n_taken and self._n_taken >= _PERIOD_S * self._rate_hz:
            ready += self._message()
        return ready

    @property
    def _stride(self) -> int:
        return math.ceil(self._rate_hz / LIVE_RATE_HZ)

    def _continues(self, block: AngleBlock) -> bool:
        if block.gap_before_s > 0 or block.sampling_rate_hz != self._rate_hz:
            return False
        return abs(block.start_time_ns - self._expected_ns) < 0.5e9 / self._rate_hz

    def _keep(self, block: AngleBlock) -> None:
        n = len(block)
        kept = range(self._skip, n, self._stride)
        if kept:
            angles = {name: getattr(block, name)[kept.start :: kept.step] for name in ANGLE_COLUMNS}
            self._runs.append(_Run(block.time_ns(kept[-1]), angles))
        self._skip += len(kept) * self._stride - n
        self._n_taken += n
        self._expected_ns = block.time_ns(n)

    def _message(self) -> list[LiveSamples]:
        runs, self._runs = self._runs, []
        self._n_taken = 0
        if not runs:
            return []
        rate_hz = self._rate_hz / self._stride
        newest = -math.floor(_LONGEST_S * rate_hz)
        angles = {
            name: np.concatenate([run.angles_deg[name] for run in runs])[newest:] for name in ANGLE_COLUMNS
        }
        return [LiveSamples(runs[-1].last_ns, rate_hz, angles)]
