"""The recent past of the driving sensor, kept so that a movement can be judged when it closes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from analytics.gate import gate_features, judge
from analytics.imu import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from analytics.gate import GateParameters, Verdict

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
        self._rows: deque[Row] = deque(maxlen=round(history_s * sampling_rate_hz))

    def append(self, row: Row) -> None:
        """Take the next sample: driving angle in degrees, |a| in m/s², rates in rad/s."""
        self._rows.append(row)

    def clear(self) -> None:
        """Forget the past: the angle does not go on from it."""
        self._rows.clear()

    def shift(self, offset_deg: float) -> None:
        """Follow a driver that reads ``offset_deg`` more for the same posture."""
        self._rows = deque(((row[0] + offset_deg, *row[1:]) for row in self._rows), maxlen=self._rows.maxlen)

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
        last = len(self._rows) - 1
        first = max(0, last - self._samples(now_ns - start_ns))
        close = max(first, last - self._samples(now_ns - close_ns))
        margin = max(0, first - round(self._rate_hz))
        rows = np.array([self._rows[index] for index in range(margin, last + 1)], dtype=np.float64)
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
