"""Which sensor a trace came from, and whether its calibration has been applied to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from analytics.imu import Placement
from sensor_bridge.recording.sensor_calibrations import SensorCalibration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor_bridge.recording.trace import Trace

_LONGEST_SERIAL = 32


@dataclass(frozen=True, slots=True)
class SensorOrigin:
    """The sensor of one placement.

    Parameters
    ----------
    serial
        Its serial number.
    calibration
        What its values have been corrected by; ``None`` where they are as measured.
    """

    serial: str
    calibration: SensorCalibration | None = None


def origins_to_metadata(origins: Mapping[Placement, SensorOrigin]) -> dict[str, Any]:
    """Write origins into a trace's metadata, under ``sensors``."""
    return {
        str(placement): {"serial": origin.serial}
        | ({} if origin.calibration is None else {"calibration": origin.calibration.model_dump(mode="json")})
        for placement, origin in sorted(origins.items())
    }


def origins_from_metadata(metadata: Mapping[str, Any], warnings: list[str]) -> dict[Placement, SensorOrigin]:
    """Read what `origins_to_metadata` wrote; what cannot be is left out, with a warning."""
    origins = {}
    for name, entry in (metadata.get("sensors") or {}).items():
        if name not in list(Placement):
            continue
        try:
            origins[Placement(name)] = _origin(entry)
        except ValueError:
            warnings.append(f"the metadata of the sensor of {name} are none: its calibration is not known")
    return origins


def corrected(trace: Trace, calibrations: Mapping[str, SensorCalibration]) -> Trace:
    """Apply calibrations to those sensors of a trace whose values are as measured.

    Parameters
    ----------
    trace
        A recording.
    calibrations
        By serial number.
    """
    sensors, origins = dict(trace.sensors), dict(trace.origins)
    for placement, origin in trace.origins.items():
        calibration = calibrations.get(origin.serial)
        if origin.calibration is not None or calibration is None or placement not in sensors:
            continue
        correction, sensor = calibration.correction(), sensors[placement]
        sensors[placement] = replace(
            sensor,
            acc_m_s2=correction.correct_acc(sensor.acc_m_s2),
            gyr_rad_s=None if sensor.gyr_rad_s is None else correction.correct_gyr(sensor.gyr_rad_s),
        )
        origins[placement] = replace(origin, calibration=calibration)
    return replace(trace, sensors=sensors, origins=origins)


def calibration_notes(trace: Trace) -> dict[str, dict[str, Any]]:
    """Say what the values of a trace have been corrected by, for the result's data quality."""
    return {
        str(placement): origin.calibration.model_dump(
            mode="json", include={"serial", "made_at", "temperature_c", "residual_m_s2"}
        )
        for placement, origin in sorted(trace.origins.items())
        if origin.calibration is not None and placement in trace.sensors
    }


def _origin(entry: object) -> SensorOrigin:
    if not isinstance(entry, dict):
        raise ValueError("no table")  # noqa: TRY004 - caught with the others
    serial, told = entry.get("serial"), entry.get("calibration")
    if not isinstance(serial, str) or not 1 <= len(serial) <= _LONGEST_SERIAL:
        raise ValueError("no serial number")
    if told is None:
        return SensorOrigin(serial)
    try:
        return SensorOrigin(serial, SensorCalibration.model_validate(told))
    except ValidationError as error:
        raise ValueError(str(error)) from None
