"""Time: a sensor's clock against the host's, and uneven samples against an even grid.

Two independent pieces:

- :class:`ClockModel` maps one sensor's clock to the host's from the moments its packets arrived.
- :class:`GridResampler` puts samples with known times on a uniform grid and cuts the stream at holes.

Neither reads a clock: every time arrives as data, so a replayed log gives the same numbers.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray, ImuBlock, Placement

IntArray: TypeAlias = NDArray[np.int64]

_NS_PER_US = 1_000
_NS_PER_MS = 1_000_000.0


@dataclass(frozen=True, slots=True)
class ClockParameters:
    """How a :class:`ClockModel` fits and follows.

    Parameters
    ----------
    window_s
        Span of device time the fit looks back over, s.
    bucket_s
        Only the least delayed packet of each bucket is kept, s; window/bucket bounds the memory.
    max_skew_ppm
        Largest rate difference believed, parts per million. Crystals keep ±50 over temperature.
    trusted_span_s
        Span after which the fitted rate is believed fully, s; before, it is blended with the last one.
    late_ms
        A bucket whose best packet is later than this came from the sensor's backlog: no use for the fit.
    settling_s, settling_slew
        For the first ``settling_s`` a correction is worked off at up to ``settling_slew`` s per s.
    slew
        The same afterwards.
    holdover_ppm
        Growth of the uncertainty while nothing arrives: crystal drift with temperature.
    unknown_latency_ms
        Uncertainty while no four-timestamp exchange has bounded the least latency: half a 30 ms
        connection interval.
    """

    window_s: float = 300.0
    bucket_s: float = 2.0
    max_skew_ppm: float = 200.0
    trusted_span_s: float = 60.0
    late_ms: float = 500.0
    settling_s: float = 10.0
    settling_slew: float = 0.05
    slew: float = 0.002
    holdover_ppm: float = 5.0
    unknown_latency_ms: float = 15.0


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Lower bound of an exchange: at ``device_ns`` the host clock had already passed ``host_ns``."""

    device_ns: int
    host_ns: int


class ClockModel:
    """Device clock → host clock, learnt from arrivals; never steps backwards.

    A packet can only arrive late. The earliest arrivals therefore lie on the line that joins the two
    clocks, shifted by the least latency: the fit is the line under all points (the edge of their lower
    hull below the centre of the window, which is the solution of the linear programme "highest line
    below all points"). A request/reply exchange bounds the same line from below, because the device
    received no earlier than the host sent; half way between both bounds the least latencies cancel.

    A better fit is not jumped to: the mapping slews towards it, so times stay in order.

    Parameters
    ----------
    parameters
        See :class:`ClockParameters`.
    """

    def __init__(self, parameters: ClockParameters | None = None) -> None:
        self._parameters = parameters or ClockParameters()
        self._origin: tuple[int, int] | None = None  # device ns, host ns of the first pair
        self._buckets: dict[int, tuple[int, int]] = {}  # bucket → (x, y), ns relative to the origin
        self._exchanges: deque[_Exchange] = deque(maxlen=64)
        self._delays_ms: deque[float] = deque(maxlen=200)
        self._newest_x = 0
        self._skew = 0.0
        self._envelope_ns = 0.0  # y of the line under all points at x = 0
        self._latency_ns = 0.0  # least latency, from exchanges
        self._bound_ns: float | None = None  # half the distance between the two bounds
        self._slew_from_x = 0
        self._correction_ns = 0.0
        self._slew_rate = 0.0

    @property
    def is_ready(self) -> bool:
        """Whether at least one packet has been seen."""
        return self._origin is not None

    @property
    def skew_ppm(self) -> float:
        """How much faster the host clock runs than the device's, parts per million."""
        return self._skew * 1e6

    @property
    def residual_ms(self) -> float:
        """95th percentile of the last 200 arrivals' delay over the fitted line, ms: the link's jitter."""
        return float(np.percentile(self._delays_ms, 95)) if self._delays_ms else 0.0

    @property
    def uncertainty_ms(self) -> float:
        """Bound on the mapping's error at the newest packet, ms (see :meth:`uncertainty_ms_at`)."""
        return self._uncertainty_ms(0.0)

    def uncertainty_ms_at(self, device_time_us: int) -> float:
        """Bound on the mapping's error at a device time, ms; grows while nothing arrives."""
        if self._origin is None:
            return math.inf
        age_ns = device_time_us * _NS_PER_US - self._origin[0] - self._newest_x
        return self._uncertainty_ms(max(0.0, float(age_ns)))

    def push(self, device_time_us: int, arrival_ns: int) -> None:
        """Learn from one packet.

        Parameters
        ----------
        device_time_us
            Device time of the packet's *last* sample (or of its sending), µs: what waits for the batch to
            fill is no latency.
        arrival_ns
            Host time at which it arrived, ns.
        """
        x, y = self._relative(device_time_us * _NS_PER_US, arrival_ns)
        delay_ms = (y - self._line_ns(x)) / _NS_PER_MS
        if delay_ms < self._parameters.late_ms:
            self._delays_ms.append(delay_ms)
        if self._admit(x, y):
            self._refit()

    def push_exchange(
        self, host_send_ns: int, device_receive_us: int, device_send_us: int, host_receive_ns: int
    ) -> None:
        """Learn from a four-timestamp exchange: request sent, received, reply sent, received."""
        received = device_receive_us * _NS_PER_US
        x, y = self._relative(device_send_us * _NS_PER_US, host_receive_ns)
        self._exchanges.append(_Exchange(received, host_send_ns))
        self._admit(x, y)
        self._refit()

    def to_host_ns(self, device_time_us: int) -> int:
        """Host time of a device time, ns.

        Raises
        ------
        ValueError
            Before the first packet.
        """
        return int(self.host_from_device_ns(np.array([device_time_us * _NS_PER_US]))[0])

    def host_from_device_ns(self, device_ns: IntArray) -> IntArray:
        """Host times, ns, of device times in ns, shape (n,)."""
        device_origin, host_origin = self._require_origin()
        x = (np.asarray(device_ns, dtype=np.int64) - device_origin).astype(np.float64)
        shift: IntArray = np.rint(self._shift_ns(x)).astype(np.int64)
        return host_origin + (np.asarray(device_ns, dtype=np.int64) - device_origin) + shift

    def device_from_host_ns(self, host_ns: IntArray) -> IntArray:
        """Device times, ns, of host times in ns, shape (n,): the inverse of the mapping as it is now."""
        device_origin, host_origin = self._require_origin()
        h = (np.asarray(host_ns, dtype=np.int64) - host_origin).astype(np.float64)
        x = h
        for _ in range(10):  # a contraction by at least settling_slew a turn: 0.05¹⁰ of 1 s is nothing
            x = h - self._shift_ns(x)
        shift: IntArray = np.rint(self._shift_ns(x)).astype(np.int64)
        return device_origin + (np.asarray(host_ns, dtype=np.int64) - host_origin) - shift

    def _require_origin(self) -> tuple[int, int]:
        if self._origin is None:
            raise ValueError("a clock model maps nothing before its first packet")
        return self._origin

    def _relative(self, device_ns: int, host_ns: int) -> tuple[int, int]:
        if self._origin is None:
            self._origin = (device_ns, host_ns)
        x = device_ns - self._origin[0]
        return x, (host_ns - self._origin[1]) - x

    def _line_ns(self, x: float) -> float:
        return self._envelope_ns + self._skew * x

    def _shift_ns(self, x: FloatArray) -> FloatArray:
        worked_off = self._slew_rate * np.maximum(0.0, x - self._slew_from_x)
        left = np.maximum(0.0, abs(self._correction_ns) - worked_off)
        correction: FloatArray = math.copysign(1.0, self._correction_ns) * left
        return self._envelope_ns - self._latency_ns + self._skew * x + correction

    def _uncertainty_ms(self, age_ns: float) -> float:
        if self._origin is None:
            return math.inf
        bound = self._parameters.unknown_latency_ms if self._bound_ns is None else self._bound_ns / _NS_PER_MS
        left = abs(self._correction_ns) / _NS_PER_MS
        return bound + left + self._parameters.holdover_ppm * 1e-6 * age_ns / _NS_PER_MS

    def _admit(self, x: int, y: int) -> bool:
        """Keep a point if it is the best of its bucket; True where that may change the fit."""
        bucket_ns = int(self._parameters.bucket_s * NANOSECONDS_PER_SECOND)
        window = int(self._parameters.window_s / self._parameters.bucket_s)
        bucket = x // bucket_ns
        self._newest_x = max(self._newest_x, x)
        newest = self._newest_x // bucket_ns
        if bucket <= newest - window:
            return False
        best = self._buckets.get(bucket)
        if best is not None and best[1] <= y:
            return False
        self._buckets[bucket] = (x, y)
        for old in [b for b in self._buckets if b <= newest - window]:
            del self._buckets[old]
        return True

    def _refit(self) -> None:
        at = np.array([float(self._newest_x)])
        mapped_before = float(self._shift_ns(at)[0])
        had_fit = bool(self._slew_rate)

        points = self._useful_points()
        self._skew = self._fitted_skew(points)
        self._envelope_ns = min(y - self._skew * x for x, y in points)
        self._bound_latency()

        self._correction_ns = 0.0
        target = float(self._shift_ns(at)[0])
        self._slew_from_x = int(at[0])
        settling = at[0] < self._parameters.settling_s * NANOSECONDS_PER_SECOND
        self._slew_rate = self._parameters.settling_slew if settling else self._parameters.slew
        if had_fit:
            self._correction_ns = mapped_before - target

    def _useful_points(self) -> list[tuple[int, int]]:
        points = sorted(self._buckets.values())
        late_ns = self._parameters.late_ms * _NS_PER_MS
        prompt = [(x, y) for x, y in points if y - self._line_ns(x) < late_ns]
        return prompt or points

    def _fitted_skew(self, points: list[tuple[int, int]]) -> float:
        span_s = (points[-1][0] - points[0][0]) / NANOSECONDS_PER_SECOND
        if span_s < self._parameters.bucket_s:
            return self._skew
        hull: list[tuple[int, int]] = []
        for point in points:
            while len(hull) > 1 and not _turns_up(hull[-2], hull[-1], point):
                hull.pop()
            hull.append(point)
        centre = sum(x for x, _ in points) / len(points)
        right = next(i for i in range(1, len(hull)) if hull[i][0] >= centre)
        (x0, y0), (x1, y1) = hull[right - 1], hull[right]
        limit = self._parameters.max_skew_ppm * 1e-6
        fitted = min(limit, max(-limit, (y1 - y0) / (x1 - x0)))
        weight = min(1.0, span_s / self._parameters.trusted_span_s)
        return weight * fitted + (1.0 - weight) * self._skew

    def _bound_latency(self) -> None:
        """Split the distance between the bounds from arrivals and from exchanges."""
        if self._origin is None or not self._exchanges:
            return
        device_origin, host_origin = self._origin
        oldest = self._newest_x - self._parameters.window_s * NANOSECONDS_PER_SECOND
        lower = []
        for exchange in self._exchanges:
            x = exchange.device_ns - device_origin
            if x >= oldest:
                lower.append((exchange.host_ns - host_origin) - x - self._skew * x)
        if lower:  # else the latency found last stays: nothing newer is known
            self._bound_ns = max(0.0, (self._envelope_ns - max(lower)) / 2)
            self._latency_ns = self._bound_ns


def _turns_up(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])


class GridResampler:
    """Samples with their times in, contiguous blocks on a uniform grid out; a hole ends a block.

    A sample within 2 µs of a grid point passes through bit-identically and at once. Any other grid
    point is interpolated by a cubic through its two neighbours with the slopes of their neighbours
    (Catmull-Rom for uneven times), which needs one sample beyond the pair. A straight line would do with
    the pair alone, but damps: half way between samples it loses 1.8 % of a 6 Hz movement sampled at
    100 Hz and 19 % at 20 Hz, the cubic 0.05 % and 5 %. Slopes span two intervals, so that two samples
    close together cannot make it overshoot. Nothing is interpolated across a hole or extrapolated.

    Causal, and chunk-invariant: how the samples are cut into pushes changes only where blocks are cut.

    Parameters
    ----------
    placement
        Written to the blocks.
    sampling_rate_hz
        Rate of the grid.
    source_rate_hz
        Rate of the samples where it differs; a jump longer than 1.5 of its periods is a hole.
    origin_ns
        A point of the grid; sensors with the same origin share their grid points. Default: the first
        sample's time.
    has_gyroscope
        Written to the blocks.

    Attributes
    ----------
    n_duplicated, n_reversed, n_not_finite
        Samples rejected: time equal to, or before, a time already taken; a value that is no number.
    n_gaps, lost_s
        Holes, and the time that is missing in them.
    """

    TOLERANCE_NS = 2_000
    GAP_PERIODS = 1.5

    def __init__(
        self,
        placement: Placement,
        sampling_rate_hz: float,
        *,
        source_rate_hz: float | None = None,
        origin_ns: int | None = None,
        has_gyroscope: bool = True,
    ) -> None:
        for rate in (sampling_rate_hz, source_rate_hz):
            if rate is not None and not rate > 0:
                raise ValueError(f"a sampling rate must be positive, not {rate}")
        self._placement = placement
        self._rate_hz = sampling_rate_hz
        self._longest_step_ns = self._longest_step(source_rate_hz or sampling_rate_hz)
        self._origin_ns = origin_ns
        self._has_gyroscope = has_gyroscope
        self._times_ns: IntArray = np.empty(0, dtype=np.int64)
        self._values: FloatArray = np.empty((0, 6))
        self._next_k: int | None = None
        self._last_k: int | None = None
        self._last_time_ns: int | None = None
        self.n_duplicated = 0
        self.n_reversed = 0
        self.n_not_finite = 0
        self.n_gaps = 0
        self.lost_s = 0.0

    def push(self, times_ns: IntArray, acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> list[ImuBlock]:
        """Take samples, return the blocks that are complete.

        Parameters
        ----------
        times_ns
            Sample times, integer ns, shape (n,).
        acc_m_s2, gyr_rad_s
            Shape (n, 3), SI units, sensor_frame.
        """
        times = np.asarray(times_ns, dtype=np.int64)
        values = np.hstack([acc_m_s2, gyr_rad_s]).astype(np.float64, copy=False)
        if values.shape != (len(times), 6):
            raise ValueError(f"{len(times)} times need (n, 3) accelerations and rates, not {values.shape}")
        times, values = self._accept(times, values)
        if not len(times):
            return []
        if self._origin_ns is None:
            self._origin_ns = int(times[0])
        previous = times[0] if not len(self._times_ns) else self._times_ns[-1]
        steps = np.diff(times, prepend=previous)
        blocks = []
        start = 0
        for cut in [*np.flatnonzero(steps > self._longest_step_ns).tolist(), len(times)]:
            blocks += self._extend(times[start:cut], values[start:cut], ends=cut < len(times))
            start = cut
        return blocks

    def flush(self) -> list[ImuBlock]:
        """Return what was waiting for a later sample; the stream ends here or restarts after a hole."""
        return self._extend(np.empty(0, dtype=np.int64), np.empty((0, 6)), ends=True)

    def change_source_rate(self, source_rate_hz: float) -> list[ImuBlock]:
        """Go on with samples of another rate on the same grid; return what was waiting."""
        blocks = self.flush()
        self._longest_step_ns = self._longest_step(source_rate_hz)
        return blocks

    def _longest_step(self, source_rate_hz: float) -> float:
        return self.GAP_PERIODS * NANOSECONDS_PER_SECOND / source_rate_hz + self.TOLERANCE_NS

    def _accept(self, times: IntArray, values: FloatArray) -> tuple[IntArray, FloatArray]:
        finite = np.isfinite(values).all(axis=1)
        self.n_not_finite += int(np.count_nonzero(~finite))
        times, values = times[finite], values[finite]
        if not len(times):
            return times, values
        newest_before = np.concatenate(
            [[np.iinfo(np.int64).min if self._last_time_ns is None else self._last_time_ns], times[:-1]]
        )
        newest_before = np.maximum.accumulate(newest_before)
        fresh = times > newest_before
        self.n_duplicated += int(np.count_nonzero(times == newest_before))
        self.n_reversed += int(np.count_nonzero(times < newest_before))
        self._last_time_ns = int(max(newest_before[-1], times[-1]))
        return times[fresh], values[fresh]

    def _grid_ns(self, k: IntArray) -> IntArray:
        offset: IntArray = np.rint(k.astype(np.float64) * NANOSECONDS_PER_SECOND / self._rate_hz).astype(
            np.int64
        )
        return self._require_origin() + offset

    def _require_origin(self) -> int:
        if self._origin_ns is None:
            raise ValueError("no sample yet, hence no grid")
        return self._origin_ns

    def _extend(self, times: IntArray, values: FloatArray, *, ends: bool) -> list[ImuBlock]:
        """Add samples to the run without a hole, return its grid points that are known now."""
        t = np.concatenate([self._times_ns, times])
        v = np.concatenate([self._values, values])
        if not len(t):
            return []
        k_after = self._grid_index(int(t[-1]) + self.TOLERANCE_NS, up=False) + 1
        k_from = self._next_k
        if k_from is None:
            k_from = self._grid_index(int(t[0]) - self.TOLERANCE_NS, up=True)
            if self._last_k is not None:
                k_from = max(k_from, self._last_k + 1)
        ks = np.arange(k_from, max(k_from, k_after), dtype=np.int64)
        grid = self._grid_ns(ks)
        right = np.searchsorted(t, grid - self.TOLERANCE_NS)
        on_grid = t[np.minimum(right, len(t) - 1)] <= grid + self.TOLERANCE_NS
        known = on_grid | (right + 1 < len(t)) | ends
        n = len(ks) if known.all() else int(np.argmin(known))
        out = _interpolate(t, v, grid[:n], right[:n], on_grid[:n])
        blocks = [self._block(int(ks[0]), out)] if n else []
        if ends:
            self._times_ns, self._values, self._next_k = t[:0], v[:0], None
        else:
            self._next_k = k_from + n
            waiting_for = self._grid_ns(np.array([self._next_k])) - self.TOLERANCE_NS
            keep = max(0, int(np.searchsorted(t, waiting_for)[0]) - 2)
            self._times_ns, self._values = t[keep:], v[keep:]
        return blocks

    def _grid_index(self, time_ns: int, *, up: bool) -> int:
        exact = (time_ns - self._require_origin()) * self._rate_hz / NANOSECONDS_PER_SECOND
        k = math.floor(exact) - 1
        # Search the neighbourhood on integers: the float index alone may be one off at a grid point.
        candidates = np.arange(k, k + 4, dtype=np.int64)
        grid = self._grid_ns(candidates)
        if up:
            return int(candidates[np.searchsorted(grid, time_ns)])
        return int(candidates[np.searchsorted(grid, time_ns, side="right") - 1])

    def _block(self, k: int, values: FloatArray) -> ImuBlock:
        missing = 0 if self._last_k is None else k - self._last_k - 1
        gap_before_s = missing / self._rate_hz
        if missing:
            self.n_gaps += 1
            self.lost_s += gap_before_s
        self._last_k = k + len(values) - 1
        return ImuBlock(
            placement=self._placement,
            start_time_ns=int(self._grid_ns(np.array([k]))[0]),
            sampling_rate_hz=self._rate_hz,
            acc_m_s2=values[:, :3],
            gyr_rad_s=values[:, 3:],
            gap_before_s=gap_before_s,
            has_gyroscope=self._has_gyroscope,
        )


def _interpolate(
    t: IntArray, v: FloatArray, grid: IntArray, right: NDArray[np.intp], on_grid: NDArray[np.bool_]
) -> FloatArray:
    """Values on the grid: the sample itself where it lies there, else a cubic Hermite piece."""
    out = np.empty((len(grid), v.shape[1]))
    out[on_grid] = v[right[on_grid]]
    off = ~on_grid
    i1 = right[off]
    i0 = i1 - 1
    before, after = np.maximum(i0 - 1, 0), np.minimum(i1 + 1, len(t) - 1)
    h = (t[i1] - t[i0]).astype(np.float64)
    u = ((grid[off] - t[i0]) / h)[:, None]
    slope0 = (v[i1] - v[before]) * (h / (t[i1] - t[before]))[:, None]
    slope1 = (v[after] - v[i0]) * (h / (t[after] - t[i0]))[:, None]
    step = v[i1] - v[i0]
    out[off] = v[i0] + u * (slope0 + u * (3 * step - 2 * slope0 - slope1 + u * (slope0 + slope1 - 2 * step)))
    return out
