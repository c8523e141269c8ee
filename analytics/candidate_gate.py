"""The recent past of the driving sensor, kept so that a movement can be judged when it closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from analytics.gate import gate_features, judge
from analytics.imu import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from analytics.gate import GateParameters, Verdict
    from analytics.imu import FloatArray

_SMALLEST_CAPACITY = 1024

Row: TypeAlias = tuple[float, float, float, float, float]  # angle, |a|, rate x y z


class CandidateGate:
    """Judge movements from their own samples. Rows come one a sample, without holes.

    Parameters
    ----------
    parameters, lying_parameters
        Demands standing and on the back; ``None`` judges nothing.
    sampling_rate_hz
        Rate of the rows.
    history_s
        How much of the past is kept.

    Attributes
    ----------
    filled
        Rows kept; whoever fills more of the room for them sets it.
    """

    def __init__(
        self,
        parameters: GateParameters | None,
        lying_parameters: GateParameters | None,
        sampling_rate_hz: float,
        history_s: float,
    ) -> None:
        self._parameters = parameters
        self._lying_parameters = lying_parameters
        self._rate_hz = sampling_rate_hz
        self._longest = round(history_s * sampling_rate_hz)
        self._rows = np.empty((_SMALLEST_CAPACITY, 5))
        self.filled = 0

    def append(self, row: Row) -> None:
        """Take the next sample: driving angle in degrees, |a| in m/s², rates in rad/s."""
        self.room_for(1)[self.filled] = row
        self.filled += 1

    def room_for(self, n: int) -> FloatArray:
        """Return the rows kept, with room for ``n`` more behind the first `filled` of them."""
        if self.filled + n > len(self._rows):
            kept = self._rows[max(0, self.filled - self._longest) : self.filled]
            self._rows = np.empty((2 * (len(kept) + n), 5))
            self._rows[: len(kept)] = kept
            self.filled = len(kept)
        return self._rows

    @property
    def newest(self) -> Row:
        """The sample taken last."""
        angle, acc, x, y, z = self._rows[self.filled - 1].tolist()
        return angle, acc, x, y, z

    def clear(self) -> None:
        """Forget the past: the angle does not go on from it."""
        self.filled = 0

    def judge(
        self,
        start_ns: int,
        close_ns: int,
        now_ns: int,
        amplitude_deg: float,
        *,
        axis_is_known: bool,
        is_supine: bool,
    ) -> Verdict | None:
        """Judge the movement between two times; ``None`` without demands.

        Parameters
        ----------
        start_ns, close_ns
            The movement, integer ns.
        now_ns
            Time of the newest row, integer ns.
        amplitude_deg
            Its size.
        axis_is_known
            See `analytics.gate.axis_share`.
        is_supine
            The athlete is on the back.
        """
        parameters = self._lying_parameters if is_supine else self._parameters
        if parameters is None:
            return None
        # One second before the start, for the filters; up to this very sample, never beyond: the verdict
        # must not depend on how the stream was cut.
        last = self.filled - 1
        oldest = max(0, self.filled - self._longest)
        first = max(oldest, last - self._samples(now_ns - start_ns))
        close = max(first, last - self._samples(now_ns - close_ns))
        margin = max(oldest, first - round(self._rate_hz))
        rows = self._rows[margin : last + 1]
        features = gate_features(
            rows[:, 0],
            rows[:, 1],
            rows[:, 2:],
            self._rate_hz,
            first=first - margin,
            last=close - margin,
            amplitude_deg=amplitude_deg,
            axis_is_known=axis_is_known,
        )
        return judge(features, parameters)

    def _samples(self, duration_ns: int) -> int:
        return round(duration_ns * self._rate_hz / NANOSECONDS_PER_SECOND)


def between(before: Row, after: Row, share: float) -> Row:
    """Return the sample on the straight line from one to another."""
    a0, a1, a2, a3, a4 = (a + share * (b - a) for a, b in zip(before, after, strict=True))
    return (a0, a1, a2, a3, a4)
