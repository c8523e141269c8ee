"""Times of samples that carry none, from when they came.

The samples are counted on at a rate learnt from their arrivals. Radio only ever delays, so the earliest
arrivals of half a second tell where the count should stand; later ones are lateness. When all of it
come late, samples are missing that nobody numbered: the times jump by that, and the hole stays a hole.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from sensor_bridge.ble.samples import ARRIVAL_TIMED, SampleRun

if TYPE_CHECKING:
    from analytics.imu import FloatArray
    from sensor_bridge.ble.driver import StreamDescription
    from sensor_bridge.ble.samples import SampleScale, StreamTraits

_NS_PER_S: Final = 1_000_000_000
_NS_PER_US: Final = 1_000
_WINDOW_NS: Final = _NS_PER_S // 2
_HOLE_NS: Final = 3 * _NS_PER_S // 10  # longer than radio keeps samples back while its link is good
_LARGEST_RATE_ERROR: Final = 0.12
_LEAST_SPAN_NS: Final = 2 * _NS_PER_S
_ANCHORS: Final = 40  # windows the rate is learnt over: 20 s
_GAIN: Final = 0.3
_MOST_SLEW: Final = 0.2  # of a period and sample
_MOST_HELD: Final = 4096  # samples


class ArrivalTiming:
    """Samples as they come in, the same samples with times (UTC) out; state and parameters in one, no clock.

    Parameters
    ----------
    description
        The stream: its nominal rate; the true one is learnt, up to 12 % from it.
    scale
        What its numbers stand for.
    traits
        What it lacks.
    """

    def __init__(
        self, description: StreamDescription, scale: SampleScale, traits: StreamTraits = ARRIVAL_TIMED
    ) -> None:
        self._description = description
        self._scale = scale
        self._traits = traits
        self._nominal_ns = _NS_PER_S / description.sampling_rate_hz
        self._period_ns = self._nominal_ns
        self._index = 0
        self._next_ns: float | None = None  # when the sample `_index` was made
        self._owed_ns = 0.0  # correction still to be worked off
        self._window: tuple[int, float] | None = None  # begin, least delay
        self._anchors: deque[tuple[int, float]] = deque(maxlen=_ANCHORS)  # index, when it was made
        self._held: list[tuple[int, int, FloatArray]] = []  # index, arrival, values

    def push(self, values: FloatArray, arrival_ns: int, n_missing: int = 0) -> list[SampleRun]:
        """Take samples that came together; return those whose times are decided.

        Parameters
        ----------
        values
            Shape (n, 6), n at least 1.
        arrival_ns
            When they came, ns.
        n_missing
            Samples known to be lost just before them.
        """
        n = len(values)
        if self._next_ns is None:
            self._next_ns = arrival_ns - (n - 1) * self._period_ns
        if self._held:
            self._held.append((self._held[-1][0] + len(self._held[-1][2]) + n_missing, arrival_ns, values))
            n_held = self._held[-1][0] + n - self._held[0][0]
            waited_ns = arrival_ns - self._held[0][1]
            is_caught_up = self._delay_ns(self._held[-1]) <= _HOLE_NS
            return self.flush() if is_caught_up or waited_ns >= _WINDOW_NS or n_held > _MOST_HELD else []
        piece = (self._index + n_missing, arrival_ns, values)
        if self._delay_ns(piece) > _HOLE_NS:
            self._held.append(piece)
            return []
        return [self._timed(piece)]

    def flush(self) -> list[SampleRun]:
        """Decide what is held back."""
        held, self._held = self._held, []
        if held:
            least_ns = min(self._delay_ns(piece) for piece in held)
            if least_ns > _HOLE_NS:
                assert self._next_ns is not None
                self._next_ns += least_ns
                self._owed_ns = 0.0
                self._window = None
                self._anchors.clear()
        return [self._timed(piece) for piece in held]

    def _delay_ns(self, piece: tuple[int, int, FloatArray]) -> float:
        """How late the last sample of a piece came, against the count."""
        index, arrival_ns, values = piece
        assert self._next_ns is not None
        return arrival_ns - self._next_ns - (index - self._index + len(values) - 1) * self._period_ns

    def _timed(self, piece: tuple[int, int, FloatArray]) -> SampleRun:
        index, arrival_ns, values = piece
        delay_ns = self._delay_ns(piece)
        assert self._next_ns is not None
        first_ns = self._next_ns + (index - self._index) * self._period_ns
        self._learn(index + len(values) - 1, arrival_ns, delay_ns)
        most_ns = _MOST_SLEW * self._period_ns * len(values)
        slew_ns = min(max(self._owed_ns, -most_ns), most_ns)
        self._owed_ns -= slew_ns
        self._index = index + len(values)
        self._next_ns = first_ns + len(values) * self._period_ns + slew_ns
        return SampleRun(
            stream_id=self._description.stream_id,
            first_sample_index=index,
            device_time_us=round(first_ns / _NS_PER_US),
            sampling_rate_hz=self._description.sampling_rate_hz,
            values=values,
            acc_unit_m_s2=self._scale.acc_unit_m_s2,
            gyr_unit_rad_s=self._scale.gyr_unit_rad_s,
            acc_limit=self._scale.acc_limit,
            gyr_limit=self._scale.gyr_limit,
            traits=self._traits,
        )

    def _learn(self, last_index: int, arrival_ns: int, delay_ns: float) -> None:
        if self._window is None:
            self._window = arrival_ns, delay_ns
            return
        begun_ns, least_ns = self._window
        if delay_ns <= least_ns:
            self._window = begun_ns, delay_ns
        if arrival_ns - begun_ns < _WINDOW_NS:
            return
        least_ns = min(delay_ns, least_ns)
        self._window = None
        self._owed_ns = _GAIN * least_ns
        made_ns = arrival_ns - delay_ns + least_ns
        self._anchors.append((last_index, made_ns))
        first_index, first_ns = self._anchors[0]
        if made_ns - first_ns >= _LEAST_SPAN_NS and last_index > first_index:
            period_ns = (made_ns - first_ns) / (last_index - first_index)
            if abs(period_ns - self._nominal_ns) <= _LARGEST_RATE_ERROR * self._nominal_ns:
                self._period_ns = period_ns
