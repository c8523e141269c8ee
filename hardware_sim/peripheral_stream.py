"""The sampling half of a virtual sensor: its clock, its ring of samples, the frames it cuts. No radio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.packets import MAX_SAMPLES, ImuFrame

if TYPE_CHECKING:
    from hardware_sim.flash_ring import FlashRing
    from hardware_sim.recording_source import SampleSource
    from hardware_sim.spectral import FloatArray

GAP_PERIODS: Final = 1.5  # a longer step between two samples is lost data (FORMATS)
_U16: Final = 0xFFFF


class PlayedSource:
    """A recording laid on the event loop's clock.

    Parameters
    ----------
    source
        What is played.
    delay_s
        The first sample is made this long after the beginning, s.
    """

    def __init__(self, source: SampleSource, delay_s: float = 0.0) -> None:
        self.source = source
        self._elapsed_s = source.elapsed_s
        self._delay_s = delay_s
        self._made_at_s: FloatArray | None = None  # of each sample, on the loop's clock
        missing = np.maximum(np.rint(np.diff(source.device_time_us) * source.rate.hz / 1e6) - 1.0, 0.0)
        jumps = np.diff(source.device_time_us) * source.rate.hz / 1e6 > GAP_PERIODS
        # The sensor's counter went on while the recording has a hole.
        self.index = np.arange(len(source)) + np.concatenate(([0], np.cumsum(np.where(jumps, missing, 0.0))))
        self.index = self.index.astype(np.int64)
        self.ends = np.append(np.flatnonzero(jumps) + 1, len(source))
        self.clipped_before = np.concatenate(([0], np.cumsum(source.clipped)))

    def __len__(self) -> int:
        return len(self.source)

    @property
    def has_begun(self) -> bool:
        """True once time runs for it."""
        return self._made_at_s is not None

    def begin(self, now_s: float) -> None:
        """Let time run from now on."""
        if self._made_at_s is None:
            self._made_at_s = now_s + self._delay_s + self._elapsed_s

    def made(self, now_s: float) -> int:
        """Count the samples that exist by now."""
        if self._made_at_s is None:
            return 0
        return int(np.searchsorted(self._made_at_s, now_s, side="right"))

    def made_at_s(self, position: int) -> float | None:
        """Tell when the sample at this position exists; None before the beginning."""
        return None if self._made_at_s is None else float(self._made_at_s[position])

    def index_at(self, position: int) -> int:
        """Count that the sensor's counter has at a position, also behind the last one."""
        index = self.index
        return int(index[position]) if position < len(index) else int(index[-1]) + 1 + position - len(index)

    def position_of(self, index: int) -> int:
        """Find the first position with this count or a later one."""
        return int(np.searchsorted(self.index, index))

    def run_end(self, position: int) -> int:
        """Find where the samples stop following each other without a hole."""
        return int(self.ends[np.searchsorted(self.ends, position, side="right")])

    def is_behind_hole(self, position: int, origin: int) -> bool:
        """Tell whether the sensor made no samples directly before this one of a stream."""
        return position > origin and position in self.ends

    def frame(
        self, stream_id: int, origin: int, boot_us: int, first: int, end: int, *, gap_before: bool
    ) -> ImuFrame:
        """Cut the samples at positions ``first`` to before ``end`` for a stream.

        Parameters
        ----------
        stream_id
            The stream.
        origin
            Position of its sample 0.
        boot_us
            Played time at which the sensor's clock began, µs.
        first, end
            A run without a hole.
        gap_before
            Whether samples directly before are gone for good.
        """
        source = self.source
        return ImuFrame(
            stream_id=stream_id,
            first_sample_index=self.index_at(first) - self.index_at(origin),
            device_time_us=int(source.device_time_us[first]) - boot_us,
            sampling_rate=source.rate,
            accel_range=source.accel_range,
            gyro_range=source.gyro_range,
            clipped=bool(self.clipped_before[end] > self.clipped_before[first]),
            gap_before=gap_before,
            samples=source.counts[first:end].astype("<i2").tobytes(),
        )

    def device_time_us(self, now_s: float) -> int | None:
        """Read the sensor's clock; None before the beginning, when it stands."""
        if self._made_at_s is None:
            return None
        since_first_s = now_s - float(self._made_at_s[0])
        known_s = min(max(since_first_s, 0.0), float(self._elapsed_s[-1]))
        known_us = float(np.interp(known_s, self._elapsed_s, self.source.device_time_us))
        return max(round(known_us + (since_first_s - known_s) * 1e6), 0)


@dataclass(frozen=True, slots=True)
class RingRange:
    """Sample indices a ring holds, both ends included."""

    oldest: int
    newest: int


@dataclass(frozen=True, slots=True)
class MadeStream:
    """What was really made of one stream, whoever heard of it.

    Parameters
    ----------
    stream_id
        The stream.
    origin
        Position of its sample 0 in what is played.
    n_samples
        Indices used up.
    n_outlasting
        Of these, from index 0 on, how many outlasted the reboot that ended the stream; all where none did.
    """

    stream_id: int
    origin: int
    n_samples: int
    n_outlasting: int


class SampleStream:
    """What the firmware keeps of a stream: the ring, where sending stands, and what was lost.

    Every method takes the time now, so a test needs no clock.

    Parameters
    ----------
    played
        Where samples come from.
    ring_capacity
        Samples kept.
    queue_frames
        Complete frames that may wait while the link is up; older ones are then skipped and counted.
    first_stream_id
        Id of the first stream, 1 to 65535.
    flash
        Where every sample is stored besides; None where the sensor has no flash.
    """

    def __init__(
        self,
        played: PlayedSource,
        *,
        ring_capacity: int,
        queue_frames: int,
        first_stream_id: int,
        flash: FlashRing | None = None,
    ) -> None:
        self._played = played
        self._ring_capacity = ring_capacity
        self._queue_frames = queue_frames
        self._next_stream_id = first_stream_id
        self.flash = flash
        self.batch = min(10, MAX_SAMPLES)
        self.stream_id = 0
        self.is_running = False
        self.overflow_count = 0
        self._origin = 0  # position of the sample with index 0
        self._cursor = 0
        self._catching_up = False
        self._gap_before = False
        self._boot_us = 0
        self._clipped_before_boot = 0
        self._ended: list[MadeStream] = []

    # Commands --------------------------------------------------------------------------------------------

    def start(self, now_s: float) -> None:
        """Begin a new stream with the next sample made."""
        self._end(now_s)
        self.stream_id = self._next_stream_id
        self._next_stream_id = self._next_stream_id % _U16 + 1
        self.is_running = True
        self._origin = self._cursor = self._played.made(now_s)
        self._catching_up = self._gap_before = False

    def resume(self, index: int, now_s: float) -> bool:
        """Go on at a sample index, or at the oldest kept; False where that index is still to come."""
        made = self._made(now_s)
        if index > self._stream_index(made):
            return False
        position = self._played.position_of(self._played.index_at(self._origin) + index)
        self._gap_before = position < self._oldest(made)
        self._cursor = max(position, self._oldest(made))
        self._catching_up = True
        return True

    def stop(self, now_s: float) -> None:
        """End the stream and forget what the ring in RAM holds."""
        self._end(now_s)

    def reboot(self, now_s: float, *, is_foreseen: bool = False) -> None:
        """Forget what is in RAM, all but the count of streams; the sensor's clock begins anew.

        Where the reboot is foreseen, RAM is written to flash before.
        """
        self.store(now_s)
        if self.flash is not None and not is_foreseen:
            self.flash.forget_unwritten()
        self._end(now_s, is_reboot=True)
        self.stream_id = 0
        self.overflow_count = 0
        self._boot_us = self._played.device_time_us(now_s) or 0
        self._clipped_before_boot = int(self._played.clipped_before[self._played.made(now_s)])

    def store(self, now_s: float) -> None:
        """Bring the flash up to date."""
        if self.flash is not None and self.is_running:
            self.flash.store(self.stream_id, self._origin, self._boot_us, self._made(now_s))

    def _end(self, now_s: float, *, is_reboot: bool = False) -> None:
        if not self.is_running:
            return
        if not is_reboot:
            self.store(now_s)
        n_samples = n_outlasting = self.made_index(now_s)
        if is_reboot:
            n_outlasting = 0 if self.flash is None else self.flash.kept(self.stream_id).end
        self._ended.append(MadeStream(self.stream_id, self._origin, n_samples, n_outlasting))
        self.is_running = False

    # State -----------------------------------------------------------------------------------------------

    def made_streams(self, now_s: float) -> tuple[MadeStream, ...]:
        """Tell the truth of every stream so far, the running one last."""
        if not self.is_running:
            return tuple(self._ended)
        n_samples = self.made_index(now_s)
        return (*self._ended, MadeStream(self.stream_id, self._origin, n_samples, n_samples))

    def is_sampling(self, now_s: float) -> bool:
        """Tell whether samples are being made for the stream."""
        return self.is_running and self._played.has_begun and self._made(now_s) < len(self._played)

    def is_sent(self, now_s: float) -> bool:
        """Tell whether every sample of the source has been made and cut into frames."""
        return self._made(now_s) == len(self._played) == self._cursor

    def device_time_us(self, now_s: float) -> int | None:
        """Read the clock, µs since boot; None before the playback has begun."""
        now_us = self._played.device_time_us(now_s)
        return None if now_us is None else max(now_us - self._boot_us, 0)

    def ring(self, now_s: float) -> RingRange:
        """Tell what the ring holds; both 0 while it is empty."""
        made = self._made(now_s)
        oldest = self._oldest(made)
        if not self.is_running or made == oldest:
            return RingRange(0, 0)
        return RingRange(self._stream_index(oldest), self._stream_index(made - 1))

    def made_index(self, now_s: float) -> int:
        """Index of the next sample to be made for the stream."""
        return self._stream_index(self._made(now_s))

    def next_index(self) -> int:
        """Index of the sample the next frame begins with; 0 where no stream runs."""
        return self._stream_index(self._cursor) if self.is_running else 0

    def queue_depth(self, now_s: float) -> int:
        """Count the complete frames that wait; the last one of a recording may be short."""
        if not self.is_running:
            return 0
        made = self._made(now_s)
        n_frames, rest = divmod(max(made - self._cursor, 0), self.batch)
        return n_frames + (rest > 0 and made == len(self._played))

    def clipped_count(self, now_s: float) -> int:
        """Count the samples limited to the range since boot."""
        return int(self._played.clipped_before[self._played.made(now_s)]) - self._clipped_before_boot

    # Frames ----------------------------------------------------------------------------------------------

    def next_frame(self, now_s: float, largest: int = MAX_SAMPLES) -> ImuFrame | None:
        """Cut the next frame; None while it is not complete.

        A frame ends early before a hole in the recording and at its end, and where the link carries no more
        than ``largest`` samples.
        """
        if not self.is_running:
            return None
        made = self._made(now_s)
        self._skip_what_is_gone(made)
        end = self._frame_end(largest)
        if end is None or made < end:
            return None
        first = self._cursor
        self._cursor = end
        if made - end < self.batch:
            self._catching_up = False
        gap_before = self._gap_before or self._played.is_behind_hole(first, self._origin)
        self._gap_before = False
        return self._played.frame(
            self.stream_id, self._origin, self._boot_us, first, end, gap_before=gap_before
        )

    def next_frame_at_s(self, largest: int = MAX_SAMPLES) -> float | None:
        """Tell when the next frame is complete; None while that cannot be said, or nothing is left."""
        end = self._frame_end(largest) if self.is_running else None
        return None if end is None else self._played.made_at_s(end - 1)

    def settle(self, now_s: float) -> None:
        """Bring the overflow count up to date while nothing can be sent."""
        if self.is_running:
            self._skip_what_is_gone(self._made(now_s))

    # ------------------------------------------------------------------------------------------------------

    def _made(self, now_s: float) -> int:
        return max(self._played.made(now_s), self._origin)

    def _oldest(self, made: int) -> int:
        return max(self._origin, made - self._ring_capacity)

    def _stream_index(self, position: int) -> int:
        return self._played.index_at(position) - self._played.index_at(self._origin)

    def _frame_end(self, largest: int) -> int | None:
        if self._cursor >= len(self._played):
            return None
        return min(self._cursor + min(self.batch, largest), self._played.run_end(self._cursor))

    def _skip_what_is_gone(self, made: int) -> None:
        if not self._catching_up:
            too_many = (made - self._cursor) // self.batch - self._queue_frames
            if too_many > 0:
                self._cursor += too_many * self.batch
                self.overflow_count += too_many
                self._gap_before = True
        oldest = self._oldest(made)
        if self._cursor < oldest:
            self.overflow_count += (oldest - self._cursor) // self.batch
            self._cursor = oldest
            self._gap_before = True
