"""A worn sensor: what the link has to know of it, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sensor_bridge.messages import Outgoing
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.recording.sensor_calibrations import to_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor_bridge.assembly import SensorQuality
    from sensor_bridge.ble.link import LinkState
    from sensor_bridge.config import AthleteConfig, Config, SensorConfig, StreamingConfig
    from sensor_bridge.recording.sensor_calibrations import SensorCalibration


@dataclass(frozen=True, slots=True)
class WornSensor:
    """One sensor on one athlete; what `sensor_bridge.ble.link.SensorSettings` asks for.

    Parameters
    ----------
    athlete, sensor
        Who wears which sensor where.
    streaming
        What it is asked for.
    """

    athlete: AthleteConfig
    sensor: SensorConfig
    streaming: StreamingConfig

    @property
    def sensor_id(self) -> str:
        """Name in topics, logs and on the page."""
        return self.sensor.id

    @property
    def address(self) -> str | None:
        """Bluetooth address, where known."""
        return self.sensor.address

    @property
    def name(self) -> str | None:
        """Advertised name, where known."""
        return self.sensor.name

    @property
    def kind(self) -> str | None:
        """Kind of its driver, where the configuration says it."""
        return self.sensor.kind

    @property
    def layout(self) -> Mapping[str, Any] | None:
        """What the payloads of a generic sensor hold."""
        return None

    @property
    def sampling_rate_hz(self) -> float:
        """Wanted sampling rate, Hz."""
        return self.streaming.sampling_rate_hz

    @property
    def accel_range_g(self) -> int:
        """Wanted full scale of the accelerometer, standard gravities."""
        return self.streaming.accel_range_g

    @property
    def gyro_range_dps(self) -> int:
        """Wanted full scale of the gyroscope, degrees per second."""
        return self.streaming.gyro_range_dps

    @property
    def batch(self) -> int:
        """Wanted samples a frame."""
        return self.streaming.batch


def sensor_status(worn: WornSensor, link: LinkState, quality: SensorQuality, now_ms: float) -> Outgoing:
    """Say how a sensor and its link are, and what became of its samples.

    Parameters
    ----------
    worn
        The sensor.
    link
        Last report on its link.
    quality
        The account of its samples.
    now_ms
        UTC, ms.
    """
    health = link.health
    data = payloads.SensorStatus(
        sensor=worn.sensor_id,
        athlete=worn.athlete.id,
        placement=str(worn.sensor.placement),
        name=link.name or worn.name or worn.sensor_id,
        link=cast("payloads.LinkPhase", str(link.phase)),
        received=quality.received,
        lost=quality.lost,
        duplicated=quality.duplicated,
        rejected=quality.rejected,
        dropped=health.dropped,
        reconnects=health.reconnects,
        overflow=link.overflow_count or 0,
        battery_percent=link.battery_percent,
        rssi_dbm=health.rssi_dbm,
        firmware=link.firmware,
        clock_residual_ms=quality.clock_residual_ms,
        connection_interval_ms=link.connection_interval_ms,
    )
    return Outgoing(Channel.SENSOR_STATUS, {"sensor": worn.sensor_id}, now_ms, data)


def log_metadata(config: Config, calibrations: Mapping[str, SensorCalibration]) -> dict[str, Any]:
    """Return what the header of a session's frame log says: who wore what, how right, and what was asked."""
    return {
        "calibrations": to_metadata(calibrations),
        "gym": config.gym,
        "athletes": [athlete.model_dump(mode="json") for athlete in config.athletes],
        "streaming": config.streaming.model_dump(mode="json"),
    }


def late_samples_alarm(late: int) -> str | None:
    """Text of the alarm that so many samples came too late; ``None`` where none did."""
    return f"{late} samples came too late to be measured with those of other sensors" if late else None
