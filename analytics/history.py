"""The recent past of all sensors on the common grid: read for angles, measured over for repetitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.aligned_block import (
    ACCELERATION,
    BIAS,
    BIAS_SIGMA,
    HAS_GYROSCOPE,
    MEASURED,
    PLACEMENT_ROWS,
    PRESENT,
    QUATERNION,
    RATE,
    RECEIVED,
    ROWS,
    AlignedBlock,
    Samples,
    SegmentSamples,
)
from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray, Placement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_SMALLEST_CAPACITY = 1024


@dataclass(slots=True)
class _Run:
    """A stretch without a hole in all sensors; grid point ``i`` is kept in column ``i + shift``."""

    first_index: int
    end_index: int
    gap_before_s: float
    shift: int


class AlignedHistory:
    """Samples of all placements side by side in one growing and sliding array.

    Parameters
    ----------
    placements
        The placements worn.
    """

    def __init__(self, placements: Iterable[Placement]) -> None:
        self._placements = tuple(placements)
        self._values = np.full((len(Placement), ROWS, 0), np.nan)
        self._flags = np.zeros((len(Placement), 0), dtype=np.uint8)
        self._filled = 0
        self._runs: list[_Run] = []
        self._oldest_index = 0
        self.anchor_ns = 0
        self.sampling_rate_hz = 0.0

    def __bool__(self) -> bool:
        return bool(self._runs)

    def __len__(self) -> int:
        """Grid points kept."""
        return sum(run.end_index - max(run.first_index, self._oldest_index) for run in self._runs)

    @property
    def end_index(self) -> int:
        """Grid point after the newest sample."""
        return self._runs[-1].end_index

    def time_ns(self, index: int) -> int:
        """Time of a grid point, integer nanoseconds."""
        return self.anchor_ns + round(index * NANOSECONDS_PER_SECOND / self.sampling_rate_hz)

    def index_of(self, time_ns: int) -> int:
        """Grid point nearest to a time."""
        return round((time_ns - self.anchor_ns) * self.sampling_rate_hz / NANOSECONDS_PER_SECOND)

    # --- taking in ---------------------------------------------------------------------------

    def begin(self, anchor_ns: int, sampling_rate_hz: float) -> None:
        """Set the grid: time of grid point 0, and its rate."""
        from analytics import packet_steps  # noqa: PLC0415 - numba takes half a second

        self._steps = packet_steps
        self.anchor_ns, self.sampling_rate_hz = anchor_ns, sampling_rate_hz

    def extend(self, first_index: int, end_index: int, gap_before_s: float) -> None:
        """Add grid points, every placement absent; a gap begins another run."""
        n = end_index - first_index
        if self._filled + n > self._flags.shape[1]:
            self._make_room(n)
        if not self._runs:
            # Another sensor than the one that set the grid may have begun before it.
            self._oldest_index = first_index
        if self._runs and gap_before_s == 0.0:
            self._runs[-1].end_index = end_index
        else:
            self._runs.append(_Run(first_index, end_index, gap_before_s, self._filled - first_index))
        self._filled += n

    def put(
        self,
        placement: Placement,
        first_index: int,
        samples: Samples,
        flags: NDArray[np.uint8],
    ) -> None:
        """Put samples of a placement where the grid has been extended to.

        Parameters
        ----------
        placement, first_index
            Whose they are, and where they begin, in the newest run.
        samples
            Orientation, acceleration, rate, bias and one-sigma of the bias, as in `SegmentSamples`.
        flags
            What is known of each of them, shape (n,).
        """
        start = first_index + self._runs[-1].shift
        row = PLACEMENT_ROWS[placement]
        self._steps.put(self._values, self._flags, row, start, *samples, flags)

    def forget_before(self, index: int) -> None:
        """Let go of what is older than a grid point."""
        if index > self._oldest_index:
            self._oldest_index = index
            while len(self._runs) > 1 and self._runs[0].end_index <= index:
                del self._runs[0]

    def _make_room(self, n: int) -> None:
        """Move what is kept to the front; double the array where that does not free half of it."""
        drop = 0
        if self._runs:
            oldest = self._runs[0]
            if self._oldest_index > oldest.first_index:
                oldest.first_index = min(self._oldest_index, oldest.end_index)
                oldest.gap_before_s = 0.0
            drop = oldest.first_index + oldest.shift
        kept = self._filled - drop
        needed = 2 * (kept + n)
        values, flags = self._values, self._flags
        if needed > flags.shape[1]:
            capacity = max(needed, _SMALLEST_CAPACITY)
            self._values = np.full((len(Placement), ROWS, capacity), np.nan)
            self._flags = np.zeros((len(Placement), capacity), dtype=np.uint8)
        self._values[:, :, :kept] = values[:, :, drop : self._filled]
        self._flags[:, :kept] = flags[:, drop : self._filled]
        self._values[:, :, kept:] = np.nan
        self._flags[:, kept:] = 0
        for run in self._runs:
            run.shift -= drop
        self._filled = kept

    # --- giving out --------------------------------------------------------------------------

    def columns(self, first_index: int, end_index: int) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return the samples of all placements between two grid points of one run.

        Returns
        -------
        Values, shape (3, 14, n), and flags, shape (3, n), by placement in its order: NaN and 0 where there is
        nothing. They are the history's own, good until it is extended.
        """
        shift = self._run_before(end_index).shift
        span = slice(first_index + shift, end_index + shift)
        return self._values[:, :, span], self._flags[:, span]

    def window(self, start_index: int, end_index: int) -> AlignedBlock | None:
        """Return grid points ``start_index`` to ``end_index`` as far as they are kept and without a hole.

        A hole in all sensors cuts off what lies before it.
        """
        if not self._runs:
            return None
        run = self._run_before(end_index)
        first, end = max(start_index, self._oldest_index, run.first_index), min(end_index, run.end_index)
        return self._block(run, first, end) if first < end else None

    def runs(self, until_index: int) -> Iterator[AlignedBlock]:
        """Everything kept before a grid point, one block for each stretch without a hole."""
        for run in self._runs:
            first, end = max(run.first_index, self._oldest_index), min(run.end_index, until_index)
            if first < end:
                yield self._block(run, first, end)

    def _run_before(self, end_index: int) -> _Run:
        """Newest run that begins before a grid point; the oldest where none does."""
        if self._runs[-1].first_index < end_index:
            return self._runs[-1]
        return next((run for run in reversed(self._runs) if run.first_index < end_index), self._runs[0])

    def _block(self, run: _Run, first: int, end: int) -> AlignedBlock:
        span = slice(first + run.shift, end + run.shift)
        return AlignedBlock(
            anchor_ns=self.anchor_ns,
            first_index=first,
            sampling_rate_hz=self.sampling_rate_hz,
            gap_before_s=run.gap_before_s if first == run.first_index else 0.0,
            segments={
                placement: self._samples(PLACEMENT_ROWS[placement], span) for placement in self._placements
            },
        )

    def _samples(self, row: int, span: slice) -> SegmentSamples:
        values, flags = self._values[row, :, span], self._flags[row, span]
        return SegmentSamples(
            earth_from_sensor_wxyz=values[QUATERNION].T.copy(),
            acc_m_s2=values[ACCELERATION].T.copy(),
            gyr_rad_s=values[RATE].T.copy(),
            bias_rad_s=values[BIAS].T.copy(),
            bias_sigma_rad_s=values[BIAS_SIGMA].copy(),
            is_present=(flags & PRESENT) != 0,
            is_received=(flags & RECEIVED) != 0,
            is_measured=(flags & MEASURED) != 0,
            has_gyroscope=(flags & HAS_GYROSCOPE) != 0,
        )
