"""Sample numbers, from a sensor's own times where it does not number, and from numbers of few bits."""

from __future__ import annotations

from typing import Final

_MOST_STREAMS: Final = 0xFFFF
_US_PER_S: Final = 1e6
_LARGEST_RATE_ERROR: Final = 0.12  # as far as the time base believes a rate
_LEARNING: Final = 0.05
_LONGEST_LOSS_US: Final = 60_000_000  # links end after seconds of silence: a longer step is another clock


def next_stream_id(stream_id: int) -> int:
    """Return the id of the stream after this one, 1 to 65535."""
    return stream_id % _MOST_STREAMS + 1


class WrappingCounter:
    """A counter of few bits, carried on beyond its largest value.

    Parameters
    ----------
    bits
        Its width; it wraps from ``2**bits - 1`` to 0.
    """

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last: int | None = None
        self._total = 0

    def unwrapped(self, raw: int) -> int:
        """Take the next reading; a step of less than half the range forward is time that passed.

        A step back gives the reading itself, less than what was returned before: the counter began anew.
        """
        if self._last is None:
            self._total = raw
        else:
            step = (raw - self._last) % self._size
            self._total = self._total + step if step < self._size // 2 else raw
        self._last = raw
        return self._total


class TimedStream:
    """Numbers runs by the times of their first samples: a step too long by whole samples is their loss.

    Where time runs back, or on by more than a minute, the clock began anew: a new stream.

    Parameters
    ----------
    stream_id
        Of the first stream.
    sampling_rate_hz
        Nominal rate; the true one is learnt, up to 12 % from it.
    """

    def __init__(self, stream_id: int, sampling_rate_hz: float) -> None:
        self.stream_id = stream_id
        self._nominal_us = _US_PER_S / sampling_rate_hz
        self._period_us = self._nominal_us
        self._next_index = 0
        # Of the run before: time of its first sample, samples, time of its last where that was told.
        self._last: tuple[int, int, int | None] | None = None

    def number(self, first_us: int, n_samples: int, last_us: int | None = None) -> int:
        """Take a run; return the number of its first sample, 0 in a stream that has just begun.

        Parameters
        ----------
        first_us
            Time of its first sample, µs.
        n_samples
            Samples in it.
        last_us
            Time of its last sample, where that is known better than from the rate, µs.
        """
        if self._last is not None:
            before_us, n_before, ended_us = self._last
            if 0 < first_us - before_us <= _LONGEST_LOSS_US:
                if ended_us is None:
                    self._next_index += self._missing(first_us - before_us, n_before)
                else:
                    self._next_index += self._missing(first_us - ended_us, 1)
            else:
                self.stream_id = next_stream_id(self.stream_id)
                self._next_index = 0
                self._period_us = self._nominal_us
        index = self._next_index
        self._next_index += n_samples
        self._last = first_us, n_samples, last_us
        return index

    def _missing(self, step_us: int, n_last: int) -> int:
        late_us = step_us - n_last * self._period_us
        if late_us > max(0.5, _LARGEST_RATE_ERROR * n_last) * self._period_us:
            return max(1, round(late_us / self._period_us))
        error_us = step_us / n_last - self._nominal_us
        if abs(error_us) <= _LARGEST_RATE_ERROR * self._nominal_us:
            self._period_us += _LEARNING * (self._nominal_us + error_us - self._period_us)
        return 0


class CountedStream:
    """Carries on the numbers of a sensor that counts its samples in few bits.

    Where the count runs back, or on by more than can have been lost, it began anew: that is a new stream.

    Parameters
    ----------
    stream_id
        Of the first stream.
    bits
        Width of the sensor's number.
    most_lost
        Samples that can be lost in a row.
    """

    def __init__(self, stream_id: int, bits: int, most_lost: int) -> None:
        self.stream_id = stream_id
        self._counter = WrappingCounter(bits)
        self._most_lost = most_lost
        self._last: int | None = None
        self._index = 0

    def number(self, raw: int) -> int | None:
        """Take the next sample's number; return its index in the stream, None where it came already."""
        count = self._counter.unwrapped(raw)
        step = 0 if self._last is None else count - self._last
        is_double = self._last is not None and not step
        self._last = count
        if is_double:
            return None
        if 0 <= step <= self._most_lost:
            self._index += step
        else:
            self.stream_id = next_stream_id(self.stream_id)
            self._index = 0
        return self._index
