"""The seam between the bridge and a sensor family: how it is known, started, and what its bytes mean.

The way of the data::

    advertisement ─► Driver.recognises        which family is this?
    connection    ─► Starter.begin ─► StreamDescription    logged first, as a frame of kind DRIVER
    notification  ─► logged as it came ─► SampleDecoder.push ─► SampleRun

A driver is one file in ``drivers/``. Its decoder is pure: the frames alone, live or read from a log, decide
what comes out, and the log says by which driver each stream is to be read.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from firmware_protocol.errors import FieldOutOfRange, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sensor_bridge.ble.connection import SensorConnection
    from sensor_bridge.ble.link import ReceivedFrame, SensorSettings
    from sensor_bridge.ble.samples import SampleRun, StreamTraits

_MOST_STREAMS: Final = 0xFFFF
_HIGHEST_RATE_HZ: Final = 10_000.0


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a sensor says of itself before anybody connects.

    Parameters
    ----------
    name
        How it calls itself; None where it did not say.
    service_uuids
        Services it announces, 128-bit, lower case.
    company_ids
        Bluetooth company identifiers of its manufacturer data.
    """

    name: str | None = None
    service_uuids: frozenset[str] = frozenset()
    company_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class StreamDescription:
    """What has to be known to decode a stream; the first frame of the stream in the log.

    Parameters
    ----------
    driver
        Kind of the driver that reads it.
    stream_id
        Names the stream, 1 to 65535.
    sampling_rate_hz
        Nominal rate.
    details
        What the driver learnt when it started the stream; JSON values.
    """

    driver: str
    stream_id: int
    sampling_rate_hz: float
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the payload of the frame of kind DRIVER: JSON."""
        head = {"driver": self.driver, "stream": self.stream_id, "rate_hz": self.sampling_rate_hz}
        return json.dumps({**head, "details": dict(self.details)}).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises
        ------
        ProtocolError
            It is something else.
        """
        try:
            told = json.loads(payload)
            driver, stream_id, details = told["driver"], told["stream"], told["details"]
            rate_hz = float(told["rate_hz"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ProtocolError(f"no description of a stream: {error}", payload) from None
        if not isinstance(driver, str) or not isinstance(details, dict):
            raise FieldOutOfRange(
                "a stream's description has a driver's name and a table of details", payload
            )
        if type(stream_id) is not int or not 1 <= stream_id <= _MOST_STREAMS:
            raise FieldOutOfRange(f"stream {stream_id!r} where 1 to {_MOST_STREAMS} belongs", payload)
        if not 0.0 < rate_hz <= _HIGHEST_RATE_HZ:
            raise FieldOutOfRange(f"a sampling rate of {rate_hz} Hz", payload)
        return cls(driver, stream_id, rate_hz, details)


def nearest_rate(rates_hz: Sequence[int], wish: SensorSettings) -> int:
    """Choose the rate, Hz, that comes nearest to a wish, by ratio; the higher of two as near."""
    return min(rates_hz, key=lambda rate_hz: (abs(math.log(rate_hz / wish.sampling_rate_hz)), -rate_hz))


class SampleDecoder(Protocol):
    """Frames of one stream in, runs of samples out; state and parameters in one, no clock and no I/O.

    What it holds back is bounded, whatever the bytes are.
    """

    @property
    def traits(self) -> StreamTraits:
        """What the stream lacks."""

    @property
    def n_rejected(self) -> int:
        """Pieces refused inside payloads that otherwise held samples."""

    def push(self, frame: ReceivedFrame) -> list[SampleRun]:
        """Take one frame, return the runs that are complete.

        Raises
        ------
        ProtocolError
            The payload is not what it should be; what came before stays as it is.
        """

    def flush(self) -> list[SampleRun]:
        """Return what was held back; no frame of this stream comes after this."""


class Driver(Protocol):
    """One sensor family."""

    @property
    def kind(self) -> str:
        """Its name in the configuration and in logs: a-z, 0-9 and ``-``."""

    @property
    def family(self) -> str:
        """What a person calls it."""

    def recognises(self, heard: Advertisement) -> bool:
        """Tell whether an advertisement is of this family."""

    def decoder(self, description: StreamDescription) -> SampleDecoder:
        """Make the decoder of a stream.

        Raises
        ------
        ProtocolError
            The description lacks what this driver writes into it.
        """


class StreamingDriver(Driver, Protocol):
    """A family that is started by a few writes, without commands that need Hipline's own link."""

    @property
    def services(self) -> tuple[str, ...]:
        """UUIDs of the services that are used."""

    @property
    def samples_per_payload(self) -> int:
        """How many samples usually come at a time; a silence is longer than some of these."""

    async def begin(
        self, connection: SensorConnection, wish: SensorSettings, stream_id: int
    ) -> StreamDescription:
        """Configure the sensor, subscribe and start; return what its stream is like.

        What cannot be had of the wish is replaced by the nearest that can.

        Raises
        ------
        LinkLost
            The link broke.
        WrongFirmware
            It is another sensor than it seemed.
        CommandRefused
            The sensor does not take the settings.
        """

    async def end(self, connection: SensorConnection) -> None:
        """Stop the stream, so that the sensor can rest; only called while the link is up.

        Raises
        ------
        LinkLost
            The link broke meanwhile.
        """

    async def identify(self, connection: SensorConnection, duration_s: int) -> None:
        """Make the sensor show itself.

        Raises
        ------
        CommandRefused
            This family cannot.
        """
