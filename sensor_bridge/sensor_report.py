"""A worn sensor: what the link has to know of it, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from sensor_bridge.messages import Outgoing
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.recording.sensor_calibrations import to_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor_bridge.assembly import SensorQuality
    from sensor_bridge.ble.link import LinkHealth, LinkState
    from sensor_bridge.ble.samples import StreamTraits
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
    layouts
        What the payloads of generic sensors hold, by name.
    """

    athlete: AthleteConfig
    sensor: SensorConfig
    streaming: StreamingConfig
    layouts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

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
        return self.layouts[self.sensor.layout] if self.sensor.layout is not None else None

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


def whole_health(link: LinkState, quality: SensorQuality) -> LinkHealth:
    """Join what the link counts with what became of the samples behind it.

    Parameters
    ----------
    link
        Last report on the link.
    quality
        The account of the sensor's samples, also of those before a restart of the bridge.
    """
    return replace(
        link.health,
        received=quality.received,
        backfilled=quality.backfilled,
        lost=quality.lost,
        duplicated=quality.duplicated,
        rejected=quality.rejected,
        clock_residual_ms=quality.clock_residual_ms,
        clock_drift_ppm=quality.clock_drift_ppm,
        has_clock=quality.traits.has_clock,
        shows_loss=quality.traits.shows_loss,
    )


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
    health = whole_health(link, quality)
    data = payloads.SensorStatus(
        sensor=worn.sensor_id,
        athlete=worn.athlete.id,
        placement=str(worn.sensor.placement),
        name=link.name or worn.name or worn.sensor_id,
        link=cast("payloads.LinkPhase", str(link.phase)),
        reason=link.reason.removeprefix(f"{worn.sensor_id}: ") or None,
        received=health.received,
        backfilled=health.backfilled,
        lost=health.lost,
        missing=health.missing,
        duplicated=health.duplicated,
        rejected=health.rejected,
        dropped=health.dropped,
        gaps=quality.gaps,
        lost_s=quality.lost_s,
        reconnects=health.reconnects,
        overflow=link.overflow_count or 0,
        battery_percent=link.battery_percent,
        rssi_dbm=health.rssi_dbm,
        firmware=link.firmware,
        sampling_rate_hz=link.sampling_rate_hz,
        connection_interval_ms=health.connection_interval_ms,
        clock_residual_ms=health.clock_residual_ms,
        clock_drift_ppm=health.clock_drift_ppm,
        lacks=_lacks(quality.traits),
    )
    return Outgoing(Channel.SENSOR_STATUS, {"sensor": worn.sensor_id}, now_ms, data)


def _lacks(traits: StreamTraits) -> list[Literal["clock", "gyroscope", "loss"]]:
    lacks: list[Literal["clock", "gyroscope", "loss"]] = []
    if not traits.has_clock:
        lacks.append("clock")
    if not traits.has_gyroscope:
        lacks.append("gyroscope")
    if not traits.shows_loss:
        lacks.append("loss")
    return lacks


def log_metadata(config: Config, calibrations: Mapping[str, SensorCalibration]) -> dict[str, Any]:
    """Return what the header of a session's frame log says: who wore what, how right, and what was asked."""
    layouts = {"layouts": config.layouts} if config.layouts else {}
    return layouts | {
        "calibrations": to_metadata(calibrations),
        "gym": config.gym,
        "athletes": [athlete.model_dump(mode="json") for athlete in config.athletes],
        "streaming": config.streaming.model_dump(mode="json"),
    }
