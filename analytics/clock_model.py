"""A sensor's clock against the host's, learnt from the moments its packets arrived.

No clock is read: every time arrives as data, so a replayed log gives the same numbers.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.clock_bounds import CentralLine, central_line
from analytics.clock_history import ClockHistory, SlewedLine
from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray

if TYPE_CHECKING:
    from analytics.timebase import IntArray

_NS_PER_US = 1_000
_NS_PER_MS = 1_000_000.0
_MOST_REQUESTS = 256
_FURTHEST_AHEAD_NS = 10 * NANOSECONDS_PER_SECOND


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


class ClockModel:
    """Device clock → host clock, learnt from arrivals; never steps backwards.

    A packet can only arrive late. The earliest arrivals therefore lie on the line that joins the two
    clocks, shifted by the least latency: the fit is the line under all points (the edge of their lower
    hull below the centre of the window, which is the solution of the linear programme "highest line
    below all points"). A request/reply exchange bounds the same line from below, because the device
    received no earlier than the host sent; the fit is then the middle of all lines between both bounds.
    That matters: packets of an even rhythm wait for an even rhythm of connection events, and can all be
    late by 10 ms for minutes; requests sent at random moments are not.

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
        self._requests: deque[tuple[int, int]] = deque(maxlen=_MOST_REQUESTS)  # (x, y) from below
        self._delays_ms: deque[float] = deque(maxlen=200)
        self._newest_x = 0
        self._used_x: int | None = None  # up to where samples have been mapped
        self._fitted_x = 0  # up to where the fit has seen prompt packets
        self._held_from_x: int | None = None
        self._skew = 0.0
        self._envelope_ns = 0.0  # y of the line under all points at x = 0
        self._latency_ns = 0.0  # least latency, from exchanges
        self._bound_ns: float | None = None  # half the distance between the two bounds
        self._has_fit = False
        self._history = ClockHistory()

    @property
    def is_ready(self) -> bool:
        """Whether at least one packet has been seen."""
        return self._origin is not None

    @property
    def skew_ppm(self) -> float:
        """How much faster the host clock runs than the device's, parts per million."""
        return self._skew * 1e6

    @property
    def drift_ppm(self) -> float | None:
        """How much faster the device's clock runs than the host's, ppm; None until seen long enough.

        The fitted rate is believed fully after ``trusted_span_s``: before, it is half an assumption.
        """
        trusted_ns = self._parameters.trusted_span_s * NANOSECONDS_PER_SECOND
        return -self._skew * 1e6 if self._newest_x >= trusted_ns else None

    @property
    def residual_ms(self) -> float:
        """95th percentile of the last 200 arrivals' delay over the fitted line, ms: the link's jitter."""
        return float(np.percentile(self._delays_ms, 95)) if self._delays_ms else 0.0

    @property
    def uncertainty_ms(self) -> float:
        """Bound on the mapping's error at the newest packet, ms (see :meth:`uncertainty_ms_at`)."""
        return self._uncertainty_ms(self._newest_x)

    def uncertainty_ms_at(self, device_time_us: int) -> float:
        """Bound on the mapping's error at a device time, ms; grows while nothing arrives."""
        if self._origin is None:
            return math.inf
        return self._uncertainty_ms(device_time_us * _NS_PER_US - self._origin[0])

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
        x, y = self._relative(device_send_us * _NS_PER_US, host_receive_ns)
        self._admit(x, y)
        x, y = self._relative(device_receive_us * _NS_PER_US, host_send_ns)
        self._requests.append((x, y))
        self._refit()

    def to_host_ns(self, device_time_us: int) -> int:
        """Host time of a device time, ns.

        Raises
        ------
        ValueError
            Before the first packet.
        """
        return int(self._host_ns(np.array([device_time_us * _NS_PER_US]))[0])

    def host_from_device_ns(self, device_ns: IntArray) -> IntArray:
        """Host times, ns, of device times in ns, shape (n,); a better fit will meet this one at the last."""
        host_ns = self._host_ns(device_ns)
        self._note_used(np.asarray(device_ns, dtype=np.float64) - self._require_origin()[0])
        return host_ns

    def device_from_host_ns(self, host_ns: IntArray) -> IntArray:
        """Device times, ns, of host times in ns, shape (n,): the inverse of the mapping as it is now.

        A better fit will meet the present one where samples were mapped last, as in `host_from_device_ns`; a
        sensor that is mapped onto this clock may be ahead of the sensor whose clock it is.
        """
        device_origin, host_origin = self._require_origin()
        h = (np.asarray(host_ns, dtype=np.int64) - host_origin).astype(np.float64)
        x = h
        for _ in range(10):  # a contraction by at least settling_slew a turn: 0.05¹⁰ of 1 s is nothing
            x = h - self._history.shift_ns(x)
        self._note_used(x)
        shift: IntArray = np.rint(self._history.shift_ns(x)).astype(np.int64)
        return device_origin + (np.asarray(host_ns, dtype=np.int64) - host_origin) - shift

    def _host_ns(self, device_ns: IntArray) -> IntArray:
        device_origin, host_origin = self._require_origin()
        x = (np.asarray(device_ns, dtype=np.int64) - device_origin).astype(np.float64)
        shift: IntArray = np.rint(self._history.shift_ns(x)).astype(np.int64)
        return host_origin + (np.asarray(device_ns, dtype=np.int64) - device_origin) + shift

    def _note_used(self, x: FloatArray) -> None:
        if len(x):
            last = min(int(x.max()), self._newest_x + _FURTHEST_AHEAD_NS)
            self._used_x = last if self._used_x is None else max(self._used_x, last)

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

    def _uncertainty_ms(self, x: int) -> float:
        age_ns = max(0, x - self._fitted_x)
        if self._origin is None:
            return math.inf
        bound = self._parameters.unknown_latency_ms if self._bound_ns is None else self._bound_ns / _NS_PER_MS
        left = abs(self._history.newest.correction_ns) / _NS_PER_MS
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
        points = self._useful_points()
        if not points:
            return
        self._fitted_x = self._newest_x
        line = self._line_between(points)
        self._skew = self._fitted_skew(points) if line is None else line.slope
        self._envelope_ns = min(y - self._skew * x for x, y in points)
        if line is not None:  # else the latency found last stays: nothing newer is known
            self._latency_ns = self._envelope_ns - (line.value - line.slope * self._newest_x)
            self._bound_ns = line.bound

        self._take_over(self._newest_x if self._used_x is None else self._used_x)

    def _take_over(self, from_x: int) -> None:
        """Go over to the fit where samples were mapped last, without a step."""
        parameters = self._parameters
        settling = from_x < parameters.settling_s * NANOSECONDS_PER_SECOND
        line = SlewedLine(
            from_x,
            self._envelope_ns - self._latency_ns,
            self._skew,
            correction_ns=0.0,
            slew_rate=parameters.settling_slew if settling else parameters.slew,
        )
        if not self._has_fit:
            self._has_fit = True
            self._history.begin(line)
            return
        at = np.array([float(from_x)])
        step_ns = float(self._history.shift_ns(at)[0] - line.shift_ns(at)[0])
        self._history.go_on(replace(line, correction_ns=step_ns))

    def _useful_points(self) -> list[tuple[int, int]]:
        """Return the prompt packets; none while a sensor that was away for long sends what it remembered.

        The clock is then held over. A fit that finds nothing prompt for a whole window is itself wrong.
        """
        points = sorted(self._buckets.values())
        late_ns = self._parameters.late_ms * _NS_PER_MS
        prompt = [(x, y) for x, y in points if y - self._line_ns(x) < late_ns]
        if prompt:
            self._held_from_x = None
            return prompt
        if self._held_from_x is None:
            self._held_from_x = self._newest_x
        is_given_up = self._newest_x - self._held_from_x > self._parameters.window_s * NANOSECONDS_PER_SECOND
        return points if is_given_up else []

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

    def _line_between(self, points: list[tuple[int, int]]) -> CentralLine | None:
        """Fit between the bounds from arrivals and from requests; None where there are no requests."""
        oldest = self._newest_x - self._parameters.window_s * NANOSECONDS_PER_SECOND
        requests = sorted(point for point in self._requests if point[0] >= oldest)
        if not requests:
            return None
        return central_line(points, requests, self._newest_x, self._parameters.max_skew_ppm * 1e-6)


def _turns_up(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])
