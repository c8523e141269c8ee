"""The angles of one athlete's session, gathered as it goes on and cut into parts at the ends of sets. Pure.

The best estimate of each moment: measured again inside finished repetitions, live elsewhere, NaN where
nothing was measured. There are no rows where no sensor sent anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.pipeline_output import RepetitionEvent, RepetitionWithdrawn, SetEvent
from sensor_bridge.recording.analysis import ANGLE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    from numpy.typing import NDArray

    from analytics.angles import AngleBlock
    from analytics.pipeline_output import PipelineOutput

    Angles: TypeAlias = NDArray[np.float32]

_KEPT_BACK_S: Final = 60.0
_LONGEST_S: Final = 180.0
_KNOT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class AnglePart:
    """A stretch of a session.

    Parameters
    ----------
    number
        From 1; the same stretch has the same number when the log is read again.
    rate_hz
        Of the grid.
    t_s
        Since the session's first sample on the sensor's clock, s, increasing, shape (n,).
    time_ms
        The same moments, UTC in ms, as events have them, shape (n,).
    angles
        Degrees by name, ``ANGLE_COLUMNS`` of :mod:`sensor_bridge.recording.analysis`, float32, shape (n,).
    """

    number: int
    rate_hz: float
    t_s: NDArray[np.float64]
    time_ms: NDArray[np.float64]
    angles: Mapping[str, Angles]

    def __len__(self) -> int:
        return len(self.t_s)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Angles from one point of the grid on, shape (7, n)."""

    first: int
    values: Angles


class AngleGathering:
    """Takes what a pipeline says, gives parts that will not change any more but by measuring all again.

    Parameters
    ----------
    to_utc_ns
        From the pipeline's timeline to UTC, both integer ns.
    """

    def __init__(self, to_utc_ns: Callable[[int], int]) -> None:
        self._to_utc_ns = to_utc_ns
        self._live: list[_Stretch] = []
        self._finished: dict[tuple[int, int], _Stretch] = {}
        self._origin_ns: int | None = None
        self._rate_hz = 0.0
        self._n_waiting = 0
        self._n_parts = 0

    def take(self, output: PipelineOutput) -> AnglePart | None:
        """Take the answer to one push; return what is complete by it."""
        for block in output.angles:
            if len(block):
                self._live.append(self._stretch(block))
                self._n_waiting += len(block)
        is_set_over = False
        for event in output.events:
            match event:
                case RepetitionEvent(repetition=repetition, angles=angles) if len(angles):
                    key = repetition.set_number, repetition.repetition_number
                    self._finished[key] = self._stretch(angles)
                case RepetitionWithdrawn(set_number=of_set, repetition_number=number):
                    self._finished.pop((of_set, number), None)
                case SetEvent(summary=summary):
                    is_set_over = is_set_over or summary.is_final
                case _:
                    pass
        if is_set_over:
            return self._part(len(self._live))
        is_between_sets = output.live is not None and not output.live.repetition_count
        if is_between_sets and self._n_waiting > _LONGEST_S * self._rate_hz:
            last = self._live[-1]
            until = last.first + last.values.shape[1] - _KEPT_BACK_S * self._rate_hz
            return self._part(sum(each.first < until for each in self._live))
        return None

    def finish(self) -> AnglePart | None:
        """Return what is left; None where nothing is."""
        return self._part(len(self._live))

    def measured_again(
        self,
        live: Iterable[AngleBlock],
        finished: Iterable[AngleBlock],
        to_utc_ns: Callable[[int], int],
        *,
        is_whole: bool,
    ) -> AnglePart | None:
        """Put together what a second look at the session said, in the place of all parts given so far.

        Parameters
        ----------
        live, finished
            Its angles, and those inside its finished repetitions.
        to_utc_ns
            From its timeline to UTC.
        is_whole
            Whether the session is over; else what was not given out yet stays for the parts to come.
        """
        live, finished = [each for each in live if len(each)], [each for each in finished if len(each)]
        if not live:
            return None
        shift_ns, mapping, limit = 0, self._to_utc_ns, self._live[0].first if self._live else None
        if is_whole:
            self._live, self._finished, self._n_waiting, self._origin_ns = [], {}, 0, None
            mapping, limit = to_utc_ns, None
        elif self._origin_ns is not None:  # its timeline may begin elsewhere
            shift_ns = to_utc_ns(live[0].start_time_ns) - self._to_utc_ns(live[0].start_time_ns)
        stretches = [self._stretch(block, shift_ns) for block in (*live, *finished)]
        self._n_parts = max(self._n_parts, 1)
        return _joined(stretches, limit, 1, self._rate_hz, self._to_utc(mapping))

    def _part(self, n_stretches: int) -> AnglePart | None:
        if not n_stretches:
            return None
        given, self._live = self._live[:n_stretches], self._live[n_stretches:]
        self._n_waiting -= sum(each.values.shape[1] for each in given)
        end = given[-1].first + given[-1].values.shape[1]
        inside = [each for each in self._finished.values() if each.first < end]
        self._finished = {key: each for key, each in self._finished.items() if each.first >= end}
        self._n_parts += 1
        return _joined(
            [*given, *inside], None, self._n_parts, self._rate_hz, self._to_utc(self._to_utc_ns), len(given)
        )

    def _stretch(self, block: AngleBlock, shift_ns: int = 0) -> _Stretch:
        start_ns = block.start_time_ns + shift_ns
        if self._origin_ns is None:
            self._origin_ns, self._rate_hz = start_ns, block.sampling_rate_hz
        first = round((start_ns - self._origin_ns) * self._rate_hz / NANOSECONDS_PER_SECOND)
        values = np.array([getattr(block, name) for name in ANGLE_COLUMNS], dtype=np.float32)
        values[:, ~block.is_measured] = np.nan
        return _Stretch(first, values)

    def _to_utc(self, to_utc_ns: Callable[[int], int]) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
        """Map points of the grid to UTC in ms: by knots, between which clocks run evenly."""

        def times_ms(rows: NDArray[np.int64]) -> NDArray[np.float64]:
            step = max(1, round(_KNOT_S * self._rate_hz))
            knots = np.unique(np.append(rows[::step], rows[-1]))
            at_ns = (self._origin_ns or 0) + np.rint(knots * NANOSECONDS_PER_SECOND / self._rate_hz)
            return np.interp(rows, knots, [to_utc_ns(int(each)) / 1e6 for each in at_ns])

        return times_ms


def _joined(
    stretches: list[_Stretch],
    limit: int | None,
    number: int,
    rate_hz: float,
    times_ms: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    n_bounding: int | None = None,
) -> AnglePart:
    """Lay stretches over each other, later ones on top; only the first `n_bounding` make rows."""
    spans = [np.arange(each.first, each.first + each.values.shape[1]) for each in stretches]
    rows = np.unique(np.concatenate(spans[:n_bounding]))
    if limit is not None:
        rows = rows[rows < limit]
    values = np.full((len(ANGLE_COLUMNS), len(rows)), np.nan, dtype=np.float32)
    for span, stretch in zip(spans, stretches, strict=True):
        places = np.searchsorted(rows, span)
        is_there = (places < len(rows)) & (rows[np.minimum(places, len(rows) - 1)] == span)
        values[:, places[is_there]] = stretch.values[:, is_there]
    return AnglePart(
        number=number,
        rate_hz=rate_hz,
        t_s=rows / rate_hz,
        time_ms=times_ms(rows) if len(rows) else np.empty(0),
        angles=dict(zip(ANGLE_COLUMNS, values, strict=True)),
    )
