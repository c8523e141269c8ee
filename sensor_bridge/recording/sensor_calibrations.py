"""Calibrations of sensors on disk: one file a serial number, in the data folder."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import quote

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from analytics.errors import AnalyticsError
from analytics.inertial_calibration import InertialCalibration
from sensor_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)

FOLDER_NAME = "calibrations"
_LARGEST_FILE = 64 * 1024  # bytes; ours are one thousand

Finite = Annotated[float, Field(allow_inf_nan=False)]
Vector = tuple[Finite, Finite, Finite]


class SensorCalibration(BaseModel):
    """Calibration of one sensor, with what is worth knowing about it; the content of its file.

    Parameters
    ----------
    format
        Of this file.
    serial
        The sensor's serial number, as in INFO.
    made_at
        When.
    temperature_c
        Of the inertial chip then, °C: bias drifts with it.
    firmware
        Version of the firmware then.
    accel_range_g, gyro_range_dps
        Full scales then.
    acc_bias_m_s2, acc_scale, gyr_bias_rad_s
        As in :class:`analytics.inertial_calibration.InertialCalibration`, sensor_frame.
    residual_m_s2
        Error of gravity in a position that took no part in the fit.
    uncorrected_m_s2
        That error without the calibration.
    gyr_spread_rad_s
        Largest difference between the gyroscope's readings at rest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["sensor-calibration/1"] = "sensor-calibration/1"
    serial: Annotated[str, Field(min_length=1, max_length=32)]
    made_at: AwareDatetime
    temperature_c: Finite
    firmware: str
    accel_range_g: int
    gyro_range_dps: int
    acc_bias_m_s2: Vector
    acc_scale: Vector
    gyr_bias_rad_s: Vector
    residual_m_s2: Finite
    uncorrected_m_s2: Finite
    gyr_spread_rad_s: Finite

    @model_validator(mode="after")
    def _is_plausible(self) -> Self:
        try:
            self.correction()
        except AnalyticsError as error:
            raise ValueError(str(error)) from None
        return self

    def correction(self) -> InertialCalibration:
        """Return what is to be taken off the measurements."""
        return InertialCalibration(
            np.array(self.acc_bias_m_s2), np.array(self.acc_scale), np.array(self.gyr_bias_rad_s)
        )

    @property
    def words(self) -> str:
        """When and how well, for people."""
        return (
            f"calibration of {self.made_at:%Y-%m-%d %H:%M} "
            f"({self.temperature_c:.0f} °C, residual {self.residual_m_s2:.3f} m/s²)"
        )


def calibration_path(data_folder: Path, serial: str) -> Path:
    """Tell where a sensor's calibration lies: a file of that folder, whatever the serial number holds."""
    return data_folder / FOLDER_NAME / f"{quote(serial, safe=' ')}.json"


def store_calibration(data_folder: Path, calibration: SensorCalibration) -> Path:
    """Write a sensor's calibration in the place of an earlier one; return where.

    Raises
    ------
    BridgeError
        The place cannot be written to.
    """
    path = calibration_path(data_folder, calibration.serial)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise BridgeError(f"{path}: the calibration cannot be written: {error.strerror}") from error
    return path


def read_calibrations(data_folder: Path) -> dict[str, SensorCalibration]:
    """Read all calibrations, by serial number; what is none is left alone, with a warning."""
    found = {}
    for path in sorted((data_folder / FOLDER_NAME).glob("*.json")):
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise ValueError("it is far too long")  # noqa: TRY301 - said below, as everything else
            calibration = SensorCalibration.model_validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            _log.warning("%s: no calibration of a sensor, left alone: %s", path, _first_line(error))
            continue
        if path != calibration_path(data_folder, calibration.serial):
            _log.warning("%s: left alone: it is the calibration of %r", path, calibration.serial)
            continue
        found[calibration.serial] = calibration
    return found


def to_metadata(calibrations: Mapping[str, SensorCalibration]) -> list[dict[str, Any]]:
    """Write calibrations into the header of a session."""
    return [each.model_dump(mode="json") for _, each in sorted(calibrations.items())]


def from_metadata(entries: object) -> dict[str, SensorCalibration]:
    """Read what `to_metadata` wrote, by serial number; what is none is left out, with a warning."""
    listed: Iterable[object] = entries if isinstance(entries, list) else []
    found = {}
    for entry in listed:
        try:
            calibration = SensorCalibration.model_validate(entry)
        except ValidationError as error:
            _log.warning("a calibration in the session's header is left out: %s", _first_line(error))
            continue
        found[calibration.serial] = calibration
    return found


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
    return (str(error).splitlines() or [type(error).__name__])[0]
