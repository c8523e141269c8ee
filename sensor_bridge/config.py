"""What the bridge can be told: frozen values with defaults that work; ``config_file`` reads them."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from platformdirs import user_data_path
from pydantic import AfterValidator, Field, model_validator

from analytics.exercises import Exercise, Side
from analytics.imu import Mount, Placement
from analytics.prescription import Prescription, Tempo, parse_tempo
from firmware_protocol.packets import MAX_SAMPLES
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate
from sensor_bridge.ble.drivers import DRIVERS
from sensor_bridge.ble.drivers.generic import GenericDriver, GenericLayout
from sensor_bridge.config_access import DashboardConfig, MqttConfig, NetworkConfig, Port, Section, TlsConfig
from sensor_bridge.home_assistant.settings import HomeAssistantConfig
from sensor_bridge.mqtt.topics import checked_id
from sensor_bridge.outbox_config import OutboxConfig

APPLICATION = "hipline"
_ACCEL_RANGES = dict(zip((2, 4, 8, 16), AccelRange, strict=True))
_GYRO_RANGES = dict(zip((125, 250, 500, 1000, 2000), GyroRange, strict=True))


def _checked_rate(hz: float) -> float:
    SamplingRate.from_hz(hz)
    return hz


def _checked_tempo(text: str) -> str:
    parse_tempo(text)
    return text


def _checked_kind(kind: str) -> str:
    if kind not in DRIVERS:
        raise ValueError(f"there is no sensor kind {kind!r}; known are {', '.join(DRIVERS)}")
    return kind


Kind = Annotated[str, AfterValidator(_checked_kind)]
Id = Annotated[str, AfterValidator(checked_id)]


class SensorConfig(Section):
    """One clip-on sensor of an athlete.

    Parameters
    ----------
    id
        Its name in topics, logs and on the page; default: athlete and placement.
    placement
        Segment it is worn on.
    mount
        Where on the segment.
    address
        Bluetooth address (on macOS: the UUID that ``hipline sensors scan`` shows).
    name
        The name it advertises, where the address is not known.
    kind
        What kind of sensor it is (docs/sensors.md); default: as its advertisement says.
    layout
        Which of the ``layouts`` a sensor of kind ``generic`` sends.
    """

    placement: Placement
    id: Id = ""
    mount: Mount = Mount.UNKNOWN
    address: str | None = None
    name: str | None = None
    kind: Kind | None = None
    layout: str | None = None

    @model_validator(mode="after")
    def _is_findable(self) -> Self:
        if self.address is None and self.name is None:
            raise ValueError("give its address or its name, as 'hipline sensors scan' shows them")
        if (self.layout is not None) != (self.kind == GenericDriver.kind):
            raise ValueError('a layout goes with kind = "generic", and such a sensor needs one')
        return self


def _checked_layout(table: dict[str, Any]) -> dict[str, Any]:
    return GenericLayout.from_mapping(table).to_mapping()


Layout = Annotated[dict[str, Any], AfterValidator(_checked_layout)]


class PrescriptionConfig(Section):
    """What an athlete is asked to do.

    Parameters
    ----------
    exercise
        Exercise code; left out: as the movements show.
    repetitions, sets
        Targets.
    side
        Working side.
    tempo
        Eccentric-bottom-concentric-top in seconds, ``X`` for as fast as possible: ``5-0-X-0``.
    minimum_range_deg
        Least range of the working hip, degrees.
    load_kg, is_supported
        Weight in hand, and whether the other hand rests on something.
    """

    exercise: Exercise | None = None
    repetitions: Annotated[int, Field(ge=1)] | None = None
    sets: Annotated[int, Field(ge=1)] | None = None
    side: Side | None = None
    tempo: Annotated[str, AfterValidator(_checked_tempo)] | None = None
    minimum_range_deg: Annotated[float, Field(gt=0, le=180)] | None = None
    load_kg: Annotated[float, Field(ge=0)] | None = None
    is_supported: bool | None = None

    def prescription(self) -> Prescription:
        """Return what the pipeline takes."""
        tempo: Tempo | None = None if self.tempo is None else parse_tempo(self.tempo)
        return Prescription(
            self.exercise,
            self.repetitions,
            self.sets,
            self.side,
            tempo,
            self.minimum_range_deg,
            self.load_kg,
            self.is_supported,
        )


class AthleteConfig(Section):
    """One athlete with what he or she wears.

    Parameters
    ----------
    id
        Name in topics: a-z, 0-9 and ``-``.
    name
        Name on the page; default: the id.
    sensors
        One a placement.
    prescription
        What is asked, if anything.
    """

    id: Id
    name: str = ""
    sensors: Annotated[tuple[SensorConfig, ...], Field(min_length=1)]
    prescription: PrescriptionConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_things(cls, data: Any) -> Any:
        """Fill in names that follow from others."""
        if not isinstance(data, dict):
            return data
        named = dict(data)
        named.setdefault("name", named.get("id", ""))
        sensors = named.get("sensors")
        if isinstance(sensors, (list, tuple)):
            named["sensors"] = [
                {"id": f"{named.get('id')}-{sensor.get('placement')}".replace("_", "-"), **sensor}
                if isinstance(sensor, dict)
                else sensor
                for sensor in sensors
            ]
        return named

    @model_validator(mode="after")
    def _one_sensor_a_placement(self) -> Self:
        _require_unique("placement", [str(sensor.placement) for sensor in self.sensors])
        return self


class StreamingConfig(Section):
    """What sensors are asked for when they start.

    Parameters
    ----------
    sampling_rate_hz
        Nominal rate.
    accel_range_g, gyro_range_dps
        Full scales.
    batch
        Samples a packet: fewer is sooner, more saves the battery.
    """

    sampling_rate_hz: Annotated[float, AfterValidator(_checked_rate)] = 100.0
    accel_range_g: Literal[2, 4, 8, 16] = 8
    gyro_range_dps: Literal[125, 250, 500, 1000, 2000] = 1000
    batch: Annotated[int, Field(ge=1, le=MAX_SAMPLES)] = 10

    @property
    def sampling_rate(self) -> SamplingRate:
        """The rate as the protocol names it."""
        return SamplingRate.from_hz(self.sampling_rate_hz)

    @property
    def accel_range(self) -> AccelRange:
        """The range as the protocol names it."""
        return _ACCEL_RANGES[self.accel_range_g]

    @property
    def gyro_range(self) -> GyroRange:
        """The range as the protocol names it."""
        return _GYRO_RANGES[self.gyro_range_dps]


class RadioConfig(Section):
    """The Bluetooth adapter.

    Parameters
    ----------
    virtual_port
        Port of a virtual radio that ``hipline virtual-sensors`` serves on this machine; default: the system's
        Bluetooth adapter.
    paired
        Addresses of sensors that are talked to over an encrypted link only; ``hipline sensors pair`` and
        ``forget`` write them.
    """

    virtual_port: Port | None = None
    paired: tuple[str, ...] = ()


class Config(Section):
    """Everything the bridge can be told.

    Parameters
    ----------
    gym
        Name in topics: a-z, 0-9 and ``-``.
    data_folder
        Where sessions, events and credentials are kept; default: the system's place for such data.
    athletes
        Who wears what.
    layouts
        What the notifications of boards with a sketch of one's own hold, by name (docs/sensors.md).
    mqtt, dashboard, network, tls, streaming, radio, outbox, home_assistant
        See their classes.
    """

    gym: Id = "gym"
    data_folder: Path = Field(default_factory=lambda: user_data_path(APPLICATION))
    athletes: tuple[AthleteConfig, ...] = ()
    layouts: dict[str, Layout] = Field(default_factory=dict)
    mqtt: MqttConfig = MqttConfig()
    dashboard: DashboardConfig = DashboardConfig()
    network: NetworkConfig = NetworkConfig()
    tls: TlsConfig = TlsConfig()
    streaming: StreamingConfig = StreamingConfig()
    radio: RadioConfig = RadioConfig()
    outbox: OutboxConfig = OutboxConfig()
    home_assistant: HomeAssistantConfig = HomeAssistantConfig()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        _require_unique("athlete id", [athlete.id for athlete in self.athletes])
        sensors = [sensor for athlete in self.athletes for sensor in athlete.sensors]
        _require_unique("sensor id", [sensor.id for sensor in sensors])
        _require_unique("sensor address", [sensor.address.upper() for sensor in sensors if sensor.address])
        # A sensor with an address is found by that, whatever it is called.
        names = [sensor.name for sensor in sensors if sensor.name and not sensor.address]
        _require_unique("sensor name", names)
        return self

    @model_validator(mode="after")
    def _layouts_are_there(self) -> Self:
        for athlete in self.athletes:
            for sensor in athlete.sensors:
                if sensor.layout is not None and sensor.layout not in self.layouts:
                    known = ", ".join(self.layouts) or "none"
                    raise ValueError(
                        f"sensor {sensor.id}: there is no layout {sensor.layout!r}, known: {known}"
                    )
        return self

    @model_validator(mode="after")
    def _home_assistant_reaches_its_broker(self) -> Self:
        if self.home_assistant.discovery and self.mqtt.broker == "embedded":
            raise ValueError(
                'home_assistant.discovery needs a broker Home Assistant reaches: mqtt.broker = "external"'
            )
        return self


def _require_unique(what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{what} {twice[0]!r} is used twice")
