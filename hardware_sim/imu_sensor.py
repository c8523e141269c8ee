"""What an inertial sensor makes of a motion: noise, bias, scale, its own clock, full scale, counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.ranges import STANDARD_GRAVITY_M_S2
from hardware_sim.recording_source import CountArray, InCounts, IntArray, to_counts
from hardware_sim.rotation import (
    angular_rate,
    apply,
    from_rotation_vector,
    second_derivative,
    transpose,
)
from hardware_sim.spectral import FloatArray, low_pass, resonant_displacement

if TYPE_CHECKING:
    from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate
    from hardware_sim.mounts import Seat

_TISSUE_HZ, _TISSUE_DAMPING = 11.0, 0.25
_TISSUE_LEVER_M = 0.15  # a sensor that moves along the skin by this much would have turned by 1 rad


@dataclass(frozen=True, slots=True)
class ImuErrorModel:
    """How far a sensor is from perfect; every ``*_sd`` is drawn once a sensor.

    Parameters
    ----------
    acc_noise_ug_sqrt_hz, gyr_noise_mdps_sqrt_hz
        White noise density.
    acc_bias_sd_mg
        Constant accelerometer bias, per axis.
    gyr_bias_low_dps, gyr_bias_high_dps
        Magnitude of the constant gyroscope bias is drawn between these; its direction is random.
    gyr_walk_dps_sqrt_s
        Random walk of the gyroscope bias, per axis, sd after one second.
    scale_sd
        Relative scale error, per axis.
    cross_axis_sd
        Relative leak of one axis into another.
    clock_ppm_sd
        Frequency error of the sensor's clock, parts per million.
    odr_error_sd
        Relative error of the true output data rate against the nominal one.
    bandwidth_share
        Digital low-pass of the sensor as a share of the sampling rate; 0 = none.
    """

    acc_noise_ug_sqrt_hz: float = 0.0
    gyr_noise_mdps_sqrt_hz: float = 0.0
    acc_bias_sd_mg: float = 0.0
    gyr_bias_low_dps: float = 0.0
    gyr_bias_high_dps: float = 0.0
    gyr_walk_dps_sqrt_s: float = 0.0
    scale_sd: float = 0.0
    cross_axis_sd: float = 0.0
    clock_ppm_sd: float = 0.0
    odr_error_sd: float = 0.0
    bandwidth_share: float = 0.0


PERFECT: Final = ImuErrorModel()

# Bosch BMI270 datasheet (typical): 160 ug/sqrt(Hz), 7 mdps/sqrt(Hz), offsets ±20 mg and ±0.5 dps, cross-axis
# 0.2 %, filter at 0.4 of the rate. Offsets here are those left by the factory's calibration.
GOOD: Final = ImuErrorModel(
    acc_noise_ug_sqrt_hz=160.0,
    gyr_noise_mdps_sqrt_hz=7.0,
    acc_bias_sd_mg=4.0,
    gyr_bias_low_dps=0.1,
    gyr_bias_high_dps=0.5,
    gyr_walk_dps_sqrt_s=0.002,
    scale_sd=0.003,
    cross_axis_sd=0.002,
    clock_ppm_sd=15.0,
    odr_error_sd=0.003,
    bandwidth_share=0.4,
)

# InvenSense MPU-6050 class, uncalibrated: 400 ug/sqrt(Hz), 5 mdps/sqrt(Hz) typical (more in clones), zero-g
# ±50 mg, zero-rate ±20 dps before the firmware's own zeroing (1-4 dps after it), scale ±3 %, cross-axis ±2 %.
CHEAP: Final = ImuErrorModel(
    acc_noise_ug_sqrt_hz=400.0,
    gyr_noise_mdps_sqrt_hz=15.0,
    acc_bias_sd_mg=25.0,
    gyr_bias_low_dps=1.0,
    gyr_bias_high_dps=4.0,
    gyr_walk_dps_sqrt_s=0.01,
    scale_sd=0.01,
    cross_axis_sd=0.01,
    clock_ppm_sd=50.0,
    odr_error_sd=0.01,
    bandwidth_share=0.4,
)

MODELS: Final = {"good": GOOD, "cheap": CHEAP, "perfect": PERFECT}


@dataclass(frozen=True, slots=True)
class SensorClock:
    """The clock of one sensor: ``device = offset + t + (ppm + ½ ppm_per_min · t / 60) · t / 10⁶``.

    Parameters
    ----------
    offset_us
        Reading at the start of the recording, µs.
    ppm
        Runs fast by this, parts per million.
    ppm_per_min
        Change of ``ppm`` a minute: a sensor warming up.
    odr_error
        The sensor samples faster than nominal by this share.
    """

    offset_us: float = 0.0
    ppm: float = 0.0
    ppm_per_min: float = 0.0
    odr_error: float = 0.0

    def device_time_us(self, time_s: FloatArray) -> IntArray:
        """Read the clock at true times: shape (n,), whole µs."""
        fast = (self.ppm + 0.5 * self.ppm_per_min * time_s / 60.0) * time_s
        return np.rint(self.offset_us + time_s * 1e6 + fast).astype(np.int64)

    def sample_times_s(self, rate_hz: float, duration_s: float) -> FloatArray:
        """Tell the true times at which the sensor samples, from 0 on, s."""
        true_rate_hz = rate_hz * (1.0 + self.odr_error)
        return np.arange(int(duration_s * true_rate_hz + 1e-6)) / true_rate_hz


@dataclass(frozen=True, slots=True, eq=False)
class FeltMotion:
    """What an ideal sensor would feel, on a fine grid, in sensor_frame.

    Parameters
    ----------
    time_s, rate_hz
        Grid, shape (n,), s, and its rate, Hz.
    acc_m_s2, gyr_rad_s
        Specific force and angular rate, shape (n, 3).
    earth_from_sensor, place_m
        Orientation, shape (n, 3, 3), and place in earth_frame, shape (n, 3), m: wobble and shift included.
    """

    time_s: FloatArray
    rate_hz: float
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    earth_from_sensor: FloatArray
    place_m: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SensorSamples(InCounts):
    """What a sensor reports.

    Parameters
    ----------
    rate, accel_range, gyro_range
        Settings.
    time_s
        True times of the samples, shape (n,), s.
    device_time_us
        The sensor's own clock then, shape (n,), µs.
    counts
        ax ay az gx gy gz, shape (n, 6).
    """

    rate: SamplingRate
    accel_range: AccelRange
    gyro_range: GyroRange
    time_s: FloatArray
    device_time_us: IntArray
    counts: CountArray


def feel(
    earth_from_segment: FloatArray,
    origin_m: FloatArray,
    time_s: FloatArray,
    rate_hz: float,
    seat: Seat,
    *,
    tissue: float = 0.0,
    slide: float = 0.0,
) -> FeltMotion:
    """Carry a segment's motion over to a sensor worn on it.

    Parameters
    ----------
    earth_from_segment, origin_m
        Motion of the segment, shapes (n, 3, 3) and (n, 3).
    time_s, rate_hz
        Grid.
    seat
        How the sensor sits.
    tissue
        Wobble of the soft parts: 0 rigid, 1 as on a body (a damped spring at 11 Hz that turns the sensor).
    slide
        Slow shift: the skin follows only ``1 - slide`` of the segment's lean about its y axis.

    Returns
    -------
    FeltMotion
        Specific force and angular rate, consistent with one another.
    """
    earth_from_sensor = earth_from_segment @ seat.segment_from_sensor
    place_m = origin_m + apply(earth_from_segment, seat.position_m)
    if slide:
        lean = np.unwrap(np.arctan2(-earth_from_segment[:, 2, 0], earth_from_segment[:, 2, 2]))
        back = np.column_stack([np.zeros_like(lean), -slide * lean, np.zeros_like(lean)])
        earth_from_sensor = earth_from_segment @ from_rotation_vector(back) @ seat.segment_from_sensor
    if tissue:
        shift_m = tissue * resonant_displacement(
            second_derivative(place_m, rate_hz), rate_hz, _TISSUE_HZ, _TISSUE_DAMPING
        )
        place_m = place_m + shift_m
        outward = apply(earth_from_segment, seat.outward)
        earth_from_sensor = (
            from_rotation_vector(np.cross(outward, shift_m) / _TISSUE_LEVER_M) @ earth_from_sensor
        )
    force = second_derivative(place_m, rate_hz) + np.array([0.0, 0.0, STANDARD_GRAVITY_M_S2])
    return FeltMotion(
        time_s=time_s,
        rate_hz=rate_hz,
        acc_m_s2=apply(transpose(earth_from_sensor), force),
        gyr_rad_s=angular_rate(earth_from_sensor, rate_hz),
        earth_from_sensor=earth_from_sensor,
        place_m=place_m,
    )


def sense(
    felt: FeltMotion,
    model: ImuErrorModel,
    clock: SensorClock,
    rate: SamplingRate,
    accel_range: AccelRange,
    gyro_range: GyroRange,
    duration_s: float,
    generator: np.random.Generator,
) -> SensorSamples:
    """Sample what a sensor feels, with all its errors.

    Parameters
    ----------
    felt
        Ideal values on a fine grid that covers 0 ... ``duration_s``.
    model
        Error model; its random constants come from ``generator``.
    clock
        The sensor's clock.
    rate, accel_range, gyro_range
        Settings.
    duration_s
        Length of the recording, s.
    generator
        Source of all randomness; the same one gives the same counts.

    Returns
    -------
    SensorSamples
        Counts and time stamps.
    """
    milli_g = 1e-3 * STANDARD_GRAVITY_M_S2
    direction = generator.standard_normal(3)
    bias_dps = generator.uniform(model.gyr_bias_low_dps, model.gyr_bias_high_dps)
    gyr_bias = np.radians(bias_dps) * direction / np.linalg.norm(direction)
    acc_bias = milli_g * model.acc_bias_sd_mg * generator.standard_normal(3)
    acc_matrix, gyr_matrix = (_response(model, generator) for _ in range(2))

    at_s = clock.sample_times_s(rate.hz, duration_s)
    n = len(at_s)
    noise_band_hz = rate.hz * (model.bandwidth_share or 0.5)
    acc_sd = 1e-3 * milli_g * model.acc_noise_ug_sqrt_hz * np.sqrt(noise_band_hz)
    gyr_sd = np.radians(1e-3 * model.gyr_noise_mdps_sqrt_hz) * np.sqrt(noise_band_hz)
    step_sd = np.radians(model.gyr_walk_dps_sqrt_s) / np.sqrt(rate.hz)
    walk = np.cumsum(step_sd * generator.standard_normal((n, 3)), axis=0)

    acc = apply(acc_matrix, _sampled(felt, felt.acc_m_s2, at_s, rate.hz, model))
    gyr = apply(gyr_matrix, _sampled(felt, felt.gyr_rad_s, at_s, rate.hz, model))
    acc = acc + acc_bias + acc_sd * generator.standard_normal((n, 3))
    gyr = gyr + gyr_bias + walk + gyr_sd * generator.standard_normal((n, 3))
    counts = np.column_stack(
        [to_counts(acc, accel_range.m_s2_per_lsb), to_counts(gyr, gyro_range.rad_s_per_lsb)]
    )
    return SensorSamples(rate, accel_range, gyro_range, at_s, clock.device_time_us(at_s), counts)


def _response(model: ImuErrorModel, generator: np.random.Generator) -> FloatArray:
    """Matrix of scale errors and leaks between the axes, shape (3, 3)."""
    leak = model.cross_axis_sd * generator.standard_normal((3, 3))
    np.fill_diagonal(leak, model.scale_sd * generator.standard_normal(3))
    return np.asarray(np.eye(3) + leak, dtype=np.float64)


def _sampled(
    felt: FeltMotion, values: FloatArray, at_s: FloatArray, rate_hz: float, model: ImuErrorModel
) -> FloatArray:
    if model.bandwidth_share:
        values = low_pass(values, model.bandwidth_share * rate_hz, felt.rate_hz)
    return np.column_stack([np.interp(at_s, felt.time_s, values[:, axis]) for axis in range(3)])
