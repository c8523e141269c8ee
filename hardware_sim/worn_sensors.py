"""The sensors an athlete wears: what each reports of a performance, as radio sources or as a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firmware_protocol.packets import AccelRange, GyroRange
from hardware_sim.athlete import INTERNAL_RATE_HZ, Performance
from hardware_sim.imu_sensor import MODELS, FeltMotion, SensorClock, SensorSamples, feel, sense
from hardware_sim.mounts import Placement, seat
from hardware_sim.recording_source import SampleSource, nearest_rate
from hardware_sim.rotation import to_quaternion

if TYPE_CHECKING:
    from hardware_sim.scenario import WornSensor
    from hardware_sim.spectral import FloatArray

_SENSOR_STREAM = 100


@dataclass(frozen=True, slots=True, eq=False)
class _Wearing:
    """One sensor on the athlete: what it feels, and the generator of its errors."""

    worn: WornSensor
    segment_from_sensor: FloatArray
    clock: SensorClock
    felt: FeltMotion
    seed: tuple[int, ...]


def _wear(performance: Performance, worn: WornSensor) -> _Wearing:
    # The stream depends on the placement alone, so that adding a sensor does not change the others.
    seed = (performance.seed, _SENSOR_STREAM + list(Placement).index(worn.placement))
    generator = np.random.default_rng(seed)
    where = seat(
        worn.placement,
        worn.mount,
        generator,
        tilt_sd_deg=worn.crooked_sd_deg,
        upside_down=worn.upside_down,
        stature_m=performance.scenario.body.stature_m,
    )
    model = MODELS[worn.model]
    offset_s = generator.uniform(1.0, 3600.0)
    ppm, odr_error = (
        model.clock_ppm_sd * generator.standard_normal(),
        model.odr_error_sd * generator.standard_normal(),
    )
    clock = SensorClock(
        offset_us=1e6 * (offset_s if worn.clock_offset_s is None else worn.clock_offset_s),
        ppm=ppm if worn.clock_ppm is None else worn.clock_ppm,
        ppm_per_min=worn.clock_ppm_per_min,
        odr_error=odr_error,
    )
    segment = performance.segments[worn.placement]
    felt = feel(
        segment.earth_from_segment,
        segment.origin_m,
        performance.time_s,
        INTERNAL_RATE_HZ,
        where,
        tissue=worn.tissue,
        slide=worn.slide,
    )
    return _Wearing(worn, where.segment_from_sensor, clock, felt, seed)


def _report(performance: Performance, wearing: _Wearing, clock: SensorClock) -> SensorSamples:
    scenario = performance.scenario
    return sense(
        wearing.felt,
        MODELS[wearing.worn.model],
        clock,
        nearest_rate(scenario.rate_hz),
        AccelRange[f"G{scenario.accel_range_g}"],
        GyroRange[f"DPS{scenario.gyro_range_dps}"],
        performance.duration_s,
        np.random.default_rng((*wearing.seed, 1)),
    )


def sample_sources(performance: Performance) -> tuple[SampleSource, ...]:
    """Make what each worn sensor sends, with its own clock and its true output rate.

    Parameters
    ----------
    performance
        What the athlete did.

    Returns
    -------
    tuple[SampleSource, ...]
        One a sensor, in the scenario's order.
    """
    sources = []
    for worn in performance.scenario.sensors:
        wearing = _wear(performance, worn)
        samples = _report(performance, wearing, wearing.clock)
        sources.append(
            SampleSource(
                sensor_id=worn.sensor_id,
                placement=str(worn.placement),
                mount=str(worn.mount),
                rate=samples.rate,
                accel_range=samples.accel_range,
                gyro_range=samples.gyro_range,
                device_time_us=samples.device_time_us,
                counts=samples.counts,
                true_time_s=samples.time_s,
            )
        )
    return tuple(sources)


def trace_columns(performance: Performance) -> dict[str, FloatArray]:
    """Columns of a trace/1 recording, as if the time base had been mended perfectly.

    The same sensors with the same errors, but all sampling on the common nominal grid. Values are quantised.

    Returns
    -------
    dict[str, FloatArray]
        ``t``, then ``P_ax P_ay P_az`` in m/s² and ``P_gx P_gy P_gz`` in rad/s for each placement P.
    """
    columns: dict[str, FloatArray] = {}
    for worn in performance.scenario.sensors:
        samples = _report(performance, _wear(performance, worn), SensorClock())
        columns.setdefault("t", samples.time_s)
        for letter, values in (("a", samples.acc_m_s2), ("g", samples.gyr_rad_s)):
            columns |= {f"{worn.placement}_{letter}{axis}": values[:, i] for i, axis in enumerate("xyz")}
    return columns


def trace_metadata(performance: Performance) -> dict[str, Any]:
    """Make the ``trace`` metadata of a trace/1 recording, ready for JSON."""
    scenario = performance.scenario
    tempo = scenario.tempo
    metadata: dict[str, Any] = {
        "format": "trace/1",
        "rate_hz": scenario.rate_hz,
        "placement": {str(worn.placement): str(worn.mount) for worn in scenario.sensors},
        "athlete": "virtual",
    }
    if performance.truth.repetitions:
        metadata["prescription"] = {
            "exercise": str(scenario.exercise),
            "repetitions": scenario.repetitions,
            "sets": scenario.sets,
            "side": str(scenario.side),
            "tempo": f"{tempo.eccentric_s:g}-{tempo.bottom_s:g}-{tempo.concentric_s:g}-{tempo.top_s:g}",
        }
    return metadata


def truth_document(performance: Performance) -> dict[str, Any]:
    """Tell what really happened and what was worn, ready for JSON (angles: ``truth.angle_columns``)."""
    sensors = []
    for worn in performance.scenario.sensors:
        wearing = _wear(performance, worn)
        quaternion = to_quaternion(wearing.segment_from_sensor[None])[0]
        sensors.append(
            {
                "sensor_id": worn.sensor_id,
                "placement": str(worn.placement),
                "mount": str(worn.mount),
                "model": worn.model,
                "segment_from_sensor_wxyz": [float(v) for v in quaternion],
                "clock_ppm": float(wearing.clock.ppm),
                "odr_error": float(wearing.clock.odr_error),
            }
        )
    return {
        **performance.truth.to_dict(),
        "scenario": performance.scenario.name,
        "seed": performance.seed,
        "duration_s": performance.duration_s,
        "sensors": sensors,
    }
