"""Sensors in somebody's hands: turned onto each of their sides, or picked up one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate
from firmware_protocol.ranges import STANDARD_GRAVITY_M_S2
from hardware_sim.errors import HardwareSimError
from hardware_sim.imu_sensor import CHEAP, FeltMotion, SensorClock, sense
from hardware_sim.recording_source import SampleSource
from hardware_sim.rotation import (
    angular_rate,
    apply,
    from_rotation_vector,
    second_derivative,
    shortest,
    transpose,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware_sim.spectral import FloatArray

_GRID_HZ: Final = 200.0
_UP: Final = np.array([0.0, 0.0, 1.0])
_CROOKED_RAD: Final = np.radians(3.0)  # tables and housings are not quite level and square
_LONGEST_TURN_S: Final = 1.0
_SHAKE_HZ: Final = 2.0
_SHAKE_RAD, _SHAKE_M = 0.6, 0.04
_MODEL: Final = replace(CHEAP, cross_axis_sd=0.003)  # bias and scale as they come, axes square to each other
_SHORTEST_S: Final = 6.0
_DEFAULT_S: Final = 60.0


def six_positions(duration_s: float, seed: int) -> tuple[SampleSource, ...]:
    """One cheap, uncalibrated sensor, laid on each of its six sides and at last leaned against something.

    Parameters
    ----------
    duration_s
        Length, s: the seven positions share it equally.
    seed
        Of the sensor's errors and of how crooked it lies.
    """
    generator = np.random.default_rng((seed, 1))
    axes = np.vstack([np.eye(3), -np.eye(3)])  # a quarter turn from each to the next
    up = axes + _CROOKED_RAD * generator.standard_normal((6, 3))
    up = np.vstack([up, [0.55, -0.6, 0.58]])
    up /= np.linalg.norm(up, axis=1)[:, None]
    time_s = _grid(duration_s)
    each_s = duration_s / len(up)
    turn_s = min(_LONGEST_TURN_S, each_s / 4)
    sensor_from_earth = np.empty((len(time_s), 3, 3))
    start = shortest(_UP, up[0])
    for k, ahead in enumerate(up):
        of_k = (time_s >= k * each_s) & (time_s <= (k + 1) * each_s)
        share = np.clip((time_s[of_k] - k * each_s) / turn_s, 0.0, 1.0)
        smooth = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
        before = up[max(k - 1, 0)]
        axis = np.cross(before, ahead)
        sine = float(np.linalg.norm(axis))
        turn = np.arctan2(sine, float(before @ ahead)) * axis / max(sine, 1e-12)
        sensor_from_earth[of_k] = from_rotation_vector(smooth[:, None] * turn) @ start
        start = from_rotation_vector(turn) @ start
    felt = _felt(time_s, transpose(sensor_from_earth), np.zeros((len(time_s), 3)))
    return (_source("clip-a", "pelvis", felt, duration_s, (seed, 2)),)


def moved_in_turn(duration_s: float, seed: int) -> tuple[SampleSource, ...]:
    """Three sensors on a table: that of the pelvis, of the left and of the right thigh are shaken in turn.

    Parameters
    ----------
    duration_s
        Length, s: of the third that each has it lies still first, then is shaken, then lies still.
    seed
        Of the sensors' errors and of how they lie.
    """
    time_s = _grid(duration_s)
    sources = []
    for k, placement in enumerate(("pelvis", "thigh_left", "thigh_right")):
        generator = np.random.default_rng((seed, 3, k))
        start_s, end_s = (k + 0.4) * duration_s / 3, (k + 0.8) * duration_s / 3
        inside = np.clip((time_s - start_s) / (end_s - start_s), 0.0, 1.0)
        strength = np.sin(np.pi * inside) ** 2
        wave = strength * np.sin(2.0 * np.pi * _SHAKE_HZ * time_s)
        axis, way = generator.standard_normal((2, 3))
        turn = _SHAKE_RAD * wave[:, None] * axis / np.linalg.norm(axis)
        lying = from_rotation_vector(generator.standard_normal(3))
        place_m = _SHAKE_M * wave[:, None] * way / np.linalg.norm(way)
        felt = _felt(time_s, from_rotation_vector(turn) @ lying, place_m)
        sources.append(_source(f"clip-{'abc'[k]}", placement, felt, duration_s, (seed, 4, k)))
    return tuple(sources)


HANDLINGS: Final[dict[str, Callable[[float, int], tuple[SampleSource, ...]]]] = {
    "six_positions": six_positions,
    "moved_in_turn": moved_in_turn,
}


def handled(name: str, seed: int, duration_s: float | None = None) -> tuple[SampleSource, ...]:
    """Make what sensors send while somebody handles them.

    Parameters
    ----------
    name
        A key of `HANDLINGS`.
    seed
        The same seed, the same samples.
    duration_s
        Length, s; None for a minute.

    Raises
    ------
    HardwareSimError
        Too short for what is to be done.
    """
    if duration_s is not None and duration_s < _SHORTEST_S:
        raise HardwareSimError(f"{name} takes at least {_SHORTEST_S:g} s, not {duration_s:g} s")
    return HANDLINGS[name](_DEFAULT_S if duration_s is None else duration_s, seed)


def _grid(duration_s: float) -> FloatArray:
    return np.arange(round(duration_s * _GRID_HZ) + 1) / _GRID_HZ


def _felt(time_s: FloatArray, earth_from_sensor: FloatArray, place_m: FloatArray) -> FeltMotion:
    force = second_derivative(place_m, _GRID_HZ) + STANDARD_GRAVITY_M_S2 * _UP
    return FeltMotion(
        time_s=time_s,
        rate_hz=_GRID_HZ,
        acc_m_s2=apply(transpose(earth_from_sensor), force),
        gyr_rad_s=angular_rate(earth_from_sensor, _GRID_HZ),
        earth_from_sensor=earth_from_sensor,
        place_m=place_m,
    )


def _source(
    sensor_id: str, placement: str, felt: FeltMotion, duration_s: float, seed: tuple[int, ...]
) -> SampleSource:
    samples = sense(
        felt,
        _MODEL,
        SensorClock(offset_us=1e6),
        SamplingRate.HZ100,
        AccelRange.G8,
        GyroRange.DPS1000,
        duration_s,
        np.random.default_rng(seed),
    )
    return SampleSource(
        sensor_id=sensor_id,
        placement=placement,
        mount="unknown",
        rate=samples.rate,
        accel_range=samples.accel_range,
        gyro_range=samples.gyro_range,
        device_time_us=samples.device_time_us,
        counts=samples.counts,
        true_time_s=samples.time_s,
    )
