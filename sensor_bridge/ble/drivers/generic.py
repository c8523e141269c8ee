"""Boards with a sketch of one's own (Arduino, XIAO): the configuration says what a notification holds.

A notification is one record, or several in a row; what a record lacks (a time, a number, a gyroscope) the
stream lacks. Example: docs/sensors.md.
"""

from __future__ import annotations

import math
import re
import struct
import uuid
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from firmware_protocol.errors import FieldOutOfRange, ProtocolError, Truncated
from firmware_protocol.ranges import STANDARD_GRAVITY_M_S2
from sensor_bridge.ble.arrival_time import ArrivalTiming
from sensor_bridge.ble.device_time import CountedStream, TimedStream, WrappingCounter
from sensor_bridge.ble.driver import StreamDescription
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.ble.samples import SampleRun, SampleScale, StreamTraits
from sensor_bridge.errors import CommandRefused, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.imu import FloatArray
    from sensor_bridge.ble.connection import SensorConnection
    from sensor_bridge.ble.driver import Advertisement
    from sensor_bridge.ble.link import ReceivedFrame, SensorSettings

_ACC: Final = ("ax", "ay", "az")
_GYR: Final = ("gx", "gy", "gz")
_TIME, _INDEX, _UNUSED = "time", "index", "-"
_NAMES: Final = (*_ACC, *_GYR, _TIME, _INDEX, _UNUSED)
_ACC_UNITS: Final = {"m/s2": 1.0, "g": STANDARD_GRAVITY_M_S2, "mg": STANDARD_GRAVITY_M_S2 / 1000}
_GYR_UNITS: Final = {"rad/s": 1.0, "dps": math.radians(1.0), "mdps": math.radians(0.001)}
_TIME_UNITS_US: Final = {"s": 1e6, "ms": 1e3, "us": 1.0}
_UNSIGNED: Final = {"B": 8, "H": 16, "I": 32, "L": 32, "Q": 64}
_LARGEST_RECORD: Final = 512  # the longest value of a characteristic
_MOST_LOST_S: Final = 60.0  # links end after seconds of silence: a longer jump is another count
_LATEST_US: Final = float(1 << 62) / 1000


@dataclass(frozen=True, slots=True)
class GenericLayout:
    """What the notifications of a board hold; the table ``[layouts.NAME]`` of the configuration.

    Parameters
    ----------
    service, characteristic
        128-bit UUIDs: where the notifications come from.
    format
        Layout of one record, in the language of Python's ``struct``, beginning with ``<`` (little-endian) or
        ``>``: ``<I6f``.
    fields
        What each number of the record is: ``ax ay az gx gy gz time index``, ``-`` for what is not used.
    rate_hz
        Samples a second.
    acc_unit, acc_scale
        Unit (``m/s2``, ``g``, ``mg``) of an acceleration after it was multiplied by the scale.
    gyr_unit, gyr_scale
        The same of an angular rate: ``rad/s``, ``dps``, ``mdps``.
    time_unit
        Unit of ``time``: ``s``, ``ms``, ``us``.
    start_characteristic, start_value
        Where to write what (hexadecimal) to start the stream; without them the subscription starts it.

    Raises
    ------
    ValueError
        It cannot be; the message says which key.
    """

    service: str
    characteristic: str
    format: str
    fields: tuple[str, ...]
    rate_hz: float
    acc_unit: str = "m/s2"
    acc_scale: float = 1.0
    gyr_unit: str = "dps"
    gyr_scale: float = 1.0
    time_unit: str = "ms"
    start_characteristic: str | None = None
    start_value: str = ""

    def __post_init__(self) -> None:
        for key in ("service", "characteristic", "start_characteristic"):
            value = getattr(self, key)
            if value is not None:
                object.__setattr__(self, key, _checked_uuid(key, value))
        for key, units in (("acc_unit", _ACC_UNITS), ("gyr_unit", _GYR_UNITS), ("time_unit", _TIME_UNITS_US)):
            if getattr(self, key) not in units:
                raise ValueError(f"{key} must be one of {', '.join(units)}, not {getattr(self, key)!r}")
        for key, most in (("rate_hz", 1000.0), ("acc_scale", 1e6), ("gyr_scale", 1e6)):
            value = getattr(self, key)
            if type(value) not in (int, float) or not 0 < value <= most:
                raise ValueError(f"{key} must be a number above 0, at most {most:g}, not {value!r}")
        object.__setattr__(self, "fields", _checked_fields(self.fields))
        letters = _letters(self.format)
        if len(letters) != len(self.fields):
            raise ValueError(
                f"format {self.format!r} holds {len(letters)} numbers, fields names {len(self.fields)}"
            )
        for name, letter in zip(self.fields, letters, strict=True):
            if name == _INDEX and letter not in _UNSIGNED:
                raise ValueError(
                    f"the index must be a whole number without sign (B, H, I or Q), not {letter}"
                )
        try:
            bytes.fromhex(self.start_value)
        except (TypeError, ValueError):
            raise ValueError(f"start_value must be hexadecimal, not {self.start_value!r}") from None

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any]) -> Self:
        """Read a table of the configuration, or what a log says of it.

        Raises
        ------
        ValueError
            A key is missing, unknown or does not fit.
        """
        known = {each.name for each in fields(cls)}
        for key in table:
            if key not in known:
                raise ValueError(f"there is no key {key!r} in a layout; known are {', '.join(sorted(known))}")
        for key in ("service", "characteristic", "format", "fields", "rate_hz"):
            if key not in table:
                raise ValueError(f"a layout needs {key!r}")
        return cls(**table)

    def to_mapping(self) -> dict[str, Any]:
        """Return the table, as JSON holds it."""
        table = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**table, "fields": list(self.fields)}

    @property
    def letters(self) -> dict[str, str]:
        """The struct letter of each field that is used."""
        return dict(zip(self.fields, _letters(self.format), strict=True))

    @property
    def traits(self) -> StreamTraits:
        """What a stream of this layout lacks."""
        return StreamTraits(
            has_gyroscope=_GYR[0] in self.fields,
            has_clock=_TIME in self.fields,
            shows_loss=_TIME in self.fields or _INDEX in self.fields,
        )


class GenericDecoder:
    """Notifications of records to runs.

    Parameters
    ----------
    description
        The stream; its details are the layout.

    Raises
    ------
    ProtocolError
        The details are no layout.
    """

    def __init__(self, description: StreamDescription) -> None:
        try:
            layout = GenericLayout.from_mapping(description.details)
        except (ValueError, TypeError) as error:
            raise ProtocolError(f"the stream's description is no layout: {error}", b"") from None
        self.traits = layout.traits
        self.n_rejected = 0
        self._record = struct.Struct(layout.format)
        self._place = {name: at for at, name in enumerate(layout.fields)}
        self._scale = SampleScale(
            _ACC_UNITS[layout.acc_unit] * layout.acc_scale, _GYR_UNITS[layout.gyr_unit] * layout.gyr_scale
        )
        self._rate_hz = layout.rate_hz
        self._arrivals = ArrivalTiming(description, self._scale, self.traits)
        self._time_unit_us = _TIME_UNITS_US[layout.time_unit]
        time_bits = _UNSIGNED.get(layout.letters.get(_TIME, ""))
        self._clock = None if time_bits is None else WrappingCounter(time_bits)
        self._timed = TimedStream(description.stream_id, layout.rate_hz)
        self._counted = None
        if _INDEX in layout.fields:
            most_lost = math.ceil(_MOST_LOST_S * layout.rate_hz)
            self._counted = CountedStream(description.stream_id, _UNSIGNED[layout.letters[_INDEX]], most_lost)
        self._last_index = -1

    def push(self, frame: ReceivedFrame) -> list[SampleRun]:
        """Take one frame; only DATA holds samples."""
        if frame.kind is not FrameKind.DATA:
            return []
        if not frame.payload or len(frame.payload) % self._record.size:
            raise Truncated(
                f"{len(frame.payload)} bytes are no whole number of records of {self._record.size}",
                frame.payload,
            )
        records = list(self._record.iter_unpack(frame.payload))
        if not all(math.isfinite(number) for record in records for number in record):
            raise FieldOutOfRange("a value is not a number", frame.payload)
        if _TIME in self._place and any(
            abs(record[self._place[_TIME]]) * self._time_unit_us > _LATEST_US for record in records
        ):
            raise FieldOutOfRange("a time beyond all clocks", frame.payload)
        runs = []
        for record in records:
            index = self._number(record)
            if index is None:
                self.n_rejected += 1
            elif _TIME in self._place:
                runs.append(self._timed_run(record, index))
            else:
                runs += self._arrivals.push(
                    self._values(record), frame.arrival_ns, index - self._last_index - 1
                )
                self._last_index = index
        return runs

    def flush(self) -> list[SampleRun]:
        """Return what waited for its time."""
        return self._arrivals.flush()

    def _number(self, record: tuple[float, ...]) -> int | None:
        """Index of a record; None where it came already."""
        if self._counted is None:
            return self._last_index + 1
        before = self._counted.stream_id
        index = self._counted.number(int(record[self._place[_INDEX]]))
        if self._counted.stream_id != before:
            self._last_index = -1  # a count that began anew says nothing of what was lost
        return index

    def _values(self, record: tuple[float, ...]) -> FloatArray:
        names = (*_ACC, *_GYR)
        return np.array([[record[self._place[name]] if name in self._place else 0.0 for name in names]])

    def _timed_run(self, record: tuple[float, ...], index: int) -> SampleRun:
        raw = record[self._place[_TIME]]
        time_us = round(
            (raw if self._clock is None else self._clock.unwrapped(int(raw))) * self._time_unit_us
        )
        if self._counted is None:
            index, stream_id = self._timed.number(time_us, 1), self._timed.stream_id
        else:
            stream_id = self._counted.stream_id
        return SampleRun(
            stream_id=stream_id,
            first_sample_index=index,
            device_time_us=time_us,
            sampling_rate_hz=self._rate_hz,
            values=self._values(record),
            acc_unit_m_s2=self._scale.acc_unit_m_s2,
            gyr_unit_rad_s=self._scale.gyr_unit_rad_s,
            traits=self.traits,
        )


class GenericDriver:
    """Starts and reads boards whose layout the configuration gives; nothing shows in their advertisement."""

    kind: Final = "generic"
    family: Final = "configured"
    services: Final = ()
    samples_per_payload: Final = 1

    def recognises(self, heard: Advertisement) -> bool:
        """Tell nothing: the configuration names the kind."""
        del heard
        return False

    async def begin(
        self, connection: SensorConnection, wish: SensorSettings, stream_id: int
    ) -> StreamDescription:
        """Subscribe, and write what starts it."""
        if wish.layout is None:
            raise ConfigError(f"{connection.sensor_id}: a sensor of kind 'generic' needs a layout")
        layout = GenericLayout.from_mapping(wish.layout)
        description = StreamDescription(self.kind, stream_id, layout.rate_hz, layout.to_mapping())
        connection.put(FrameKind.DRIVER, description.to_bytes())
        await connection.follow_battery()
        await connection.subscribe(layout.characteristic, FrameKind.DATA)
        if layout.start_characteristic is not None:
            await connection.write(
                layout.start_characteristic, bytes.fromhex(layout.start_value), response=True
            )
        return description

    async def end(self, connection: SensorConnection) -> None:
        """Do nothing: it stops with the link."""

    async def identify(self, connection: SensorConnection, duration_s: int) -> None:
        """Refuse."""
        del duration_s
        raise CommandRefused(f"{connection.sensor_id}: a board of one's own knows no command to show itself")

    def decoder(self, description: StreamDescription) -> GenericDecoder:
        """Make the decoder of a stream."""
        return GenericDecoder(description)


def _checked_uuid(key: str, value: object) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise ValueError(f"{key} must be a 128-bit UUID, not {value!r}") from None


def _checked_fields(names: object) -> tuple[str, ...]:
    if not isinstance(names, (list, tuple)) or not all(name in _NAMES for name in names):
        raise ValueError(f"fields must be some of {', '.join(_NAMES)}, not {names!r}")
    used = [name for name in names if name != _UNUSED]
    if len(set(used)) < len(used):
        raise ValueError("fields names something twice")
    n_gyr = len(set(_GYR) & set(used))
    if not set(_ACC) <= set(used) or n_gyr not in {0, len(_GYR)}:
        raise ValueError("fields needs ax, ay and az, and all of gx, gy, gz or none")
    return tuple(names)


def _letters(text: object) -> list[str]:
    """Letters of a struct format, one a number."""
    if not isinstance(text, str) or not re.fullmatch(r"[<>](\d{0,2}[xbBhHiIlLqQefd])+", text):
        raise ValueError(
            f"format must be a struct format that begins with < or >, such as <I6f, not {text!r}"
        )
    if struct.calcsize(text) > _LARGEST_RECORD:
        raise ValueError(f"format {text!r} is longer than the {_LARGEST_RECORD} bytes of a notification")
    letters = []
    for count, letter in re.findall(r"(\d*)([a-zA-Z])", text):
        if letter != "x":
            letters += [letter] * (int(count) if count else 1)
    return letters
