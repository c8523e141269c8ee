"""The packet of samples, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_protocol.bounds import MAX_SAMPLES, SAMPLE_SIZE, U16_MAX, U32_MAX, U48_MAX
from firmware_protocol.invariants import check_integer, check_member
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate


@dataclass(frozen=True, slots=True)
class ImuFrame:
    """A run of samples of one stream.

    Parameters
    ----------
    stream_id
        Names the stream: 1 to 65535. A new one whenever the sample index starts anew.
    first_sample_index
        Number of the first sample since the start of the stream (u32).
    device_time_us
        Time of the FIRST sample on the sensor's own clock, µs since its boot (u48).
    sampling_rate
        Nominal rate.
    accel_range, gyro_range
        Scale of the counts.
    clipped
        True where at least one count of the frame was limited to the range.
    gap_before
        True where samples between the previous frame of the stream and this one are lost for good.
    samples
        ``n_samples`` times 6 int16, little-endian, order ax ay az gx gy gz, sensor_frame.
    """

    stream_id: int
    first_sample_index: int
    device_time_us: int
    sampling_rate: SamplingRate
    accel_range: AccelRange
    gyro_range: GyroRange
    clipped: bool
    gap_before: bool
    samples: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.samples, bytes):
            raise TypeError(f"samples must be bytes, not {type(self.samples).__name__}")
        size = len(self.samples)
        if size % SAMPLE_SIZE or not SAMPLE_SIZE <= size <= MAX_SAMPLES * SAMPLE_SIZE:
            raise ValueError(
                f"samples must hold 1 to {MAX_SAMPLES} samples of {SAMPLE_SIZE} bytes, not {size} bytes"
            )
        check_integer("stream_id", self.stream_id, 1, U16_MAX)
        check_integer("first_sample_index", self.first_sample_index, 0, U32_MAX + 1 - size // SAMPLE_SIZE)
        check_integer("device_time_us", self.device_time_us, 0, U48_MAX)
        check_member("sampling_rate", self.sampling_rate, SamplingRate)
        check_member("accel_range", self.accel_range, AccelRange)
        check_member("gyro_range", self.gyro_range, GyroRange)

    @property
    def n_samples(self) -> int:
        """Number of samples in the frame, 1 to ``MAX_SAMPLES``."""
        return len(self.samples) // SAMPLE_SIZE
