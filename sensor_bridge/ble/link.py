"""The seam between radio and bridge: what a link delivers and how it reports on itself.

Nothing of bleak is visible here; any sensor family, and any test, can stand behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from firmware_protocol.packets import BulkRequest, DeviceInfo


class FrameKind(IntEnum):
    """Which characteristic a payload came from; the numbers are stored in frame logs."""

    DATA = 1
    STATUS = 2
    TIME = 3
    BATTERY = 4
    INFO = 5
    CONTROL = 6  # the reply to Start: where the stream goes on
    BULK = 7
    HEALED = 8  # written by the bridge itself: from here on the measurements rest on what was fetched
    COMMAND = 9  # written by the bridge itself: what a coach ordered
    DRIVER = 16  # which driver reads the stream that follows, and what it has to know: JSON
    REPLY = 17  # a vendor's answer to a command that its decoder needs


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """Bytes as they came from a sensor, untouched.

    Parameters
    ----------
    sensor_id
        Name of the sensor in the configuration.
    arrival_ns
        When the host got it: UTC ns, advanced by the monotonic clock.
    kind
        Where it came from.
    payload
        The value of the characteristic.
    """

    sensor_id: str
    arrival_ns: int
    kind: FrameKind
    payload: bytes


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """What became of a sensor's samples, counted since the bridge started.

    Parameters
    ----------
    received
        Samples that arrived, doubles not counted.
    backfilled
        Samples that were missing and came later, out of the sensor's flash.
    lost
        Samples that the sensor made and that are not here.
    missing
        Those of the lost ones that may still be fetched.
    duplicated
        Samples that arrived again.
    rejected
        Payloads that were not what they should be.
    dropped
        Payloads thrown away because the bridge did not keep up.
    reconnects
        Times the link was made anew.
    rssi_dbm
        Signal strength when last heard; None before.
    has_clock
        False where the sensor sends no time: its samples are timed by their arrival.
    shows_loss
        False where the sensor sends neither number nor time: what was lost cannot be known.
    clock_residual_ms, clock_drift_ppm
        How well arrival times follow the sensor's clock, and how much faster than the host's that runs
        (filled in by whoever fits it); None before.
    connection_interval_ms
        As the sensor last told; None before.
    """

    received: int = 0
    backfilled: int = 0
    lost: int = 0
    missing: int = 0
    duplicated: int = 0
    rejected: int = 0
    dropped: int = 0
    reconnects: int = 0
    rssi_dbm: int | None = None
    clock_residual_ms: float | None = None
    has_clock: bool = True
    shows_loss: bool = True
    clock_drift_ppm: float | None = None
    connection_interval_ms: float | None = None


class LinkPhase(StrEnum):
    """Where a link stands (the words of the MQTT sensor status)."""

    SCANNING = "scanning"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LinkState:
    """A report on one sensor's link.

    Parameters
    ----------
    sensor_id
        Name of the sensor in the configuration.
    phase
        Where the link stands.
    reason
        Why, in one line; empty while all is well.
    name, address
        How the sensor calls itself and where it is; None before it was heard.
    info
        What it said of itself; None before it was asked.
    stream_id
        The running stream; None before one runs.
    sampling_rate_hz
        Nominal rate of the last frame of samples, Hz; None before one came.
    battery_percent, overflow_count
        From its last STATUS; None before one came.
    health
        The counts.
    """

    sensor_id: str
    phase: LinkPhase
    reason: str = ""
    name: str | None = None
    address: str | None = None
    info: DeviceInfo | None = None
    stream_id: int | None = None
    sampling_rate_hz: float | None = None
    battery_percent: int | None = None
    overflow_count: int | None = None
    health: LinkHealth = field(default_factory=LinkHealth)

    @property
    def firmware(self) -> str | None:
        """Firmware version as people write it; None before the sensor was asked."""
        return None if self.info is None else ".".join(str(part) for part in self.info.firmware_version)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A sensor that was heard.

    Parameters
    ----------
    address
        Where it is (on macOS a UUID the system made up).
    name
        How it calls itself; None where it did not say.
    rssi_dbm
        Signal strength.
    kind
        Kind of the driver that knows it; None where none does.
    """

    address: str
    name: str | None
    rssi_dbm: int
    kind: str | None = None


class SensorSettings(Protocol):
    """What has to be known of a sensor to use it.

    What kind of sensor it is shows in its advertisement, unless ``kind`` says it. A sensor is found by
    ``address`` where that is given, else by the ``name`` it advertises, else by its
    ``sensor_id`` as name. What it cannot do of the wishes is replaced by the nearest it can.
    """

    @property
    def sensor_id(self) -> str:
        """Name of the sensor in the configuration."""

    @property
    def address(self) -> str | None:
        """Bluetooth address, as the scan prints it."""

    @property
    def name(self) -> str | None:
        """Advertised name."""

    @property
    def kind(self) -> str | None:
        """Kind of the driver; None: as the advertisement says."""

    @property
    def layout(self) -> Mapping[str, Any] | None:
        """What the payloads of a sensor of kind ``generic`` hold, as the configuration says it."""

    @property
    def sampling_rate_hz(self) -> float:
        """Wanted sampling rate, Hz."""

    @property
    def accel_range_g(self) -> int:
        """Wanted full scale of the accelerometer, standard gravities."""

    @property
    def gyro_range_dps(self) -> int:
        """Wanted full scale of the gyroscope, degrees per second."""

    @property
    def batch(self) -> int:
        """Wanted samples a frame."""


class SensorLink(Protocol):
    """A live connection to one sensor."""

    @property
    def info(self) -> DeviceInfo | None:
        """What the sensor said of itself; None where its family does not say."""

    @property
    def has_flash(self) -> bool:
        """Whether the sensor stores its samples, to be fetched later."""

    @property
    def frame_s(self) -> float:
        """Time from one frame to the next, s; known before the start for a Hipline sensor, else after."""

    @property
    def dropped(self) -> int:
        """Payloads thrown away because nobody fetched them in time."""

    async def start(self, resume: tuple[int, int] | None) -> int:
        """Start the stream, or go on at (stream_id, next index); return the id of the stream that runs."""

    def frames(self) -> AsyncIterator[ReceivedFrame]:
        """Yield what arrives, in order; ends when the link is lost."""

    async def ask_flash(self, request: BulkRequest) -> None:
        """Ask for stored samples; what comes of it are frames of kind BULK."""

    async def keep_time(self) -> None:
        """Ask for the sensor's clock now and then, until the link is lost."""

    async def identify(self, duration_s: int) -> None:
        """Make the sensor show itself."""

    async def close(self) -> None:
        """End the link; safe to call again, and after it was lost."""
