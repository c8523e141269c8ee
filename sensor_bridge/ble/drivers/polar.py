"""Polar Verity Sense and H10 (PMD): compressed batches of samples, timed, not numbered.

Layouts by the vendor's SDK (polarofficial/polar-ble-sdk); no sensor was at hand. The two kinds of measurement
come apart, each with the time of its last sample: angular rates are interpolated at the times of the
accelerations. A sensor without a gyroscope (H10) gives accelerations only.
"""

from __future__ import annotations

import asyncio
import math
import struct
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.errors import FieldOutOfRange, ProtocolError, Truncated, UnknownPacket
from firmware_protocol.gatt import BATTERY_SERVICE_UUID
from firmware_protocol.ranges import STANDARD_GRAVITY_M_S2
from sensor_bridge.ble.delta_compression import AXES, decompressed, signed_integers
from sensor_bridge.ble.device_time import TimedStream
from sensor_bridge.ble.driver import StreamDescription, nearest_rate
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.ble.samples import COMPLETE, SampleRun, StreamTraits
from sensor_bridge.errors import CommandRefused, LinkLost

if TYPE_CHECKING:
    from analytics.imu import FloatArray
    from sensor_bridge.ble.connection import SensorConnection
    from sensor_bridge.ble.driver import Advertisement
    from sensor_bridge.ble.link import ReceivedFrame, SensorSettings

SERVICE: Final = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL_POINT: Final = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA: Final = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"

_GET_SETTINGS, _START, _STOP = 1, 2, 3
_REPLY: Final = 0xF0
_OK: Final = 0
_REPLY_S: Final = 5.0
_ACCELERATION, _ANGULAR_RATE = 2, 5
_NAMES: Final = {_ACCELERATION: "acceleration", _ANGULAR_RATE: "angular_rate"}
_RATE, _RESOLUTION, _RANGE, _CHANNELS, _FACTOR = 0, 1, 2, 4, 5
_SETTING_BYTES: Final = {_RATE: 2, _RESOLUTION: 2, _RANGE: 2, 3: 4, _CHANNELS: 1, _FACTOR: 4, 6: 16}

_HEAD: Final = struct.Struct("<BQB")  # kind, time of the last sample in ns, frame type
_LATEST_NS: Final = 1 << 62
_COMPRESSED: Final = 0x80
_LONGEST_WAIT_S: Final = 5.0  # accelerations wait so long for angular rates
_MG_M_S2: Final = STANDARD_GRAVITY_M_S2 / 1000
_LARGEST_RATE_ERROR: Final = 0.12
_HOLE_PERIODS: Final = 1.5


class PolarDecoder:
    """PMD data frames to runs.

    Parameters
    ----------
    description
        The stream; its details hold ``acceleration`` and, where there is a gyroscope, ``angular_rate``, each
        with ``rate_hz``, ``resolution`` (bits) and ``range`` (g, °/s).

    Raises
    ------
    ProtocolError
        The details are not there.
    """

    def __init__(self, description: StreamDescription) -> None:
        self._description = description
        self._channels = {
            kind: _Channel(description, name)
            for kind, name in _NAMES.items()
            if kind == _ACCELERATION or name in description.details
        }
        self._stream = TimedStream(description.stream_id, description.sampling_rate_hz)
        self._most_waiting = math.ceil(_LONGEST_WAIT_S * description.sampling_rate_hz)
        self.traits = COMPLETE if _ANGULAR_RATE in self._channels else StreamTraits(has_gyroscope=False)
        self.n_rejected = 0

    def push(self, frame: ReceivedFrame) -> list[SampleRun]:
        """Take one frame: DATA holds samples, REPLY the factor of compressed ones."""
        if frame.kind is FrameKind.REPLY:
            self._learn(frame.payload)
        if frame.kind is not FrameKind.DATA:
            return []
        if len(frame.payload) < _HEAD.size:
            raise Truncated("a frame without its head", frame.payload)
        kind, last_ns, frame_type = _HEAD.unpack_from(frame.payload)
        channel = self._channels.get(kind & 0x3F)
        if channel is None:
            raise UnknownPacket(f"a measurement of kind {kind & 0x3F} that nobody asked for", frame.payload)
        if last_ns >= _LATEST_NS:
            raise FieldOutOfRange(f"a time of {last_ns} ns", frame.payload)
        values = channel.read(frame_type, frame.payload)
        if not channel.add(last_ns / 1000.0, values):
            for each in self._channels.values():
                each.clear()  # the clock began anew
            channel.add(last_ns / 1000.0, values)
        return self._merged()

    def flush(self) -> list[SampleRun]:
        """Return nothing: accelerations whose angular rates never came are no samples."""
        return []

    def _learn(self, payload: bytes) -> None:
        op, kind, status, settings = _read_reply(payload)
        channel = self._channels.get(kind)
        if op == _START and status == _OK and channel is not None and _FACTOR in settings:
            channel.factor = _factor(settings, payload)

    def _merged(self) -> list[SampleRun]:
        acceleration = self._channels[_ACCELERATION]
        times, acc = acceleration.times_us, acceleration.values
        rates = self._channels.get(_ANGULAR_RATE)
        if rates is None:
            acceleration.clear_values()
            return self._runs(times, np.hstack([acc, np.zeros_like(acc)]))
        for channel in (acceleration, rates):
            too_many = len(channel.times_us) - self._most_waiting
            if too_many > 0:
                self.n_rejected += 1
                channel.forget(too_many)
        times, acc = acceleration.times_us, acceleration.values
        if len(rates.times_us) < 2 or not len(times):
            return []
        n = int(np.searchsorted(times, rates.times_us[-1], side="right"))
        after = np.clip(np.searchsorted(rates.times_us, times[:n]), 1, len(rates.times_us) - 1)
        is_covered = np.diff(rates.times_us)[after - 1] <= _HOLE_PERIODS * rates.nominal_us
        is_covered &= times[:n] >= rates.times_us[0]
        gyr = np.column_stack(
            [np.interp(times[:n], rates.times_us, rates.values[:, axis]) for axis in range(AXES)]
        )
        runs = self._runs(times[:n][is_covered], np.hstack([acc[:n], gyr])[is_covered])
        acceleration.forget(n)
        if n:
            rates.forget(max(int(np.searchsorted(rates.times_us, times[n - 1], side="right")) - 1, 0))
        return runs

    def _runs(self, times_us: FloatArray, values: FloatArray) -> list[SampleRun]:
        if not len(times_us):
            return []
        hole_us = _HOLE_PERIODS * self._channels[_ACCELERATION].nominal_us
        cuts = [0, *(np.flatnonzero(np.diff(times_us) > hole_us) + 1).tolist(), len(times_us)]
        return [self._run(times_us[start:end], values[start:end]) for start, end in pairwise(cuts)]

    def _run(self, times_us: FloatArray, values: FloatArray) -> SampleRun:
        first_us, last_us = round(times_us[0]), round(times_us[-1])
        index = self._stream.number(first_us, len(values), last_us)
        return SampleRun(
            stream_id=self._stream.stream_id,
            first_sample_index=index,
            device_time_us=first_us,
            sampling_rate_hz=self._description.sampling_rate_hz,
            values=values,
            acc_unit_m_s2=_MG_M_S2,
            gyr_unit_rad_s=math.radians(1.0),
            acc_limit=self._channels[_ACCELERATION].limit * 1000.0,
            gyr_limit=self._channels[_ANGULAR_RATE].limit if self.traits.has_gyroscope else math.inf,
            traits=self.traits,
        )


class _Channel:
    """One kind of measurement: how its frames are read, and its samples that wait for the other's."""

    def __init__(self, description: StreamDescription, name: str) -> None:
        details = description.details.get(name)
        try:
            told = {key: float(details[key]) for key in ("rate_hz", "resolution", "range")}  # type: ignore[index]
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ProtocolError(f"the stream's description does not say how its {name} is", b"") from None
        if not (0 < told["rate_hz"] <= 10_000 and 1 <= told["resolution"] <= 32):
            raise FieldOutOfRange(f"{name} with {told}", b"")
        self.nominal_us = 1e6 / told["rate_hz"]
        self.limit = told["range"] * 0.999 if told["range"] > 0 else math.inf
        self.factor = 1.0
        self._is_acceleration = name == _NAMES[_ACCELERATION]
        self._reference_bytes = math.ceil(told["resolution"] / 8)
        self._last_us: float | None = None
        self.times_us: FloatArray = np.empty(0)
        self.values: FloatArray = np.empty((0, AXES))

    def read(self, frame_type: int, payload: bytes) -> FloatArray:
        """Return the values of a frame, shape (n, 3): mg or °/s."""
        body = payload[_HEAD.size :]
        layout = frame_type & ~_COMPRESSED
        if frame_type & _COMPRESSED:
            if layout > (1 if self._is_acceleration else 0):
                raise UnknownPacket(f"compressed frames of type {layout} are not known", payload)
            scale = self.factor * (1000.0 if self._is_acceleration and layout == 0 else 1.0)
            return decompressed(body, self._reference_bytes) * scale
        if not self._is_acceleration or layout > 2:
            raise UnknownPacket(f"raw frames of type {layout} are not known", payload)
        size = (layout + 1) * AXES
        if not body or len(body) % size:
            raise Truncated(f"{len(body)} bytes are no whole number of samples of {size}", payload)
        return signed_integers(body, layout + 1).astype(np.float64).reshape(-1, AXES)

    def add(self, last_us: float, values: FloatArray) -> bool:
        """Time a frame's values by the time of its last; False where that is not after the one before."""
        period_us = self.nominal_us
        if self._last_us is not None:
            if last_us <= self._last_us:
                return False
            measured_us = (last_us - self._last_us) / len(values)
            if abs(measured_us - period_us) <= _LARGEST_RATE_ERROR * period_us:
                period_us = measured_us
        self._last_us = last_us
        times_us = last_us - period_us * np.arange(len(values) - 1, -1, -1)
        self.times_us = np.concatenate([self.times_us, times_us])
        self.values = np.concatenate([self.values, values])
        return True

    def forget(self, n: int) -> None:
        """Let the oldest go."""
        self.times_us, self.values = self.times_us[n:], self.values[n:]

    def clear_values(self) -> None:
        """Let all go."""
        self.forget(len(self.times_us))

    def clear(self) -> None:
        """Begin anew, on another clock."""
        self.clear_values()
        self._last_us = None


class PolarDriver:
    """Finds, starts and reads Polar sensors."""

    kind: Final = "polar"
    family: Final = "Polar Verity Sense or H10"
    services: Final = (SERVICE, BATTERY_SERVICE_UUID)
    samples_per_payload: Final = 36

    def recognises(self, heard: Advertisement) -> bool:
        """Tell by the name, which ends in the device id."""
        return (heard.name or "").startswith("Polar ")

    async def begin(
        self, connection: SensorConnection, wish: SensorSettings, stream_id: int
    ) -> StreamDescription:
        """Choose among the settings the sensor offers, and start both measurements."""
        control = _ControlPoint(connection)
        await connection.listen(CONTROL_POINT, control.hear)
        chosen: dict[int, dict[int, int]] = {}
        for kind in _NAMES:
            await control.ask(_STOP, kind)  # not measuring is as good
            _, _, status, offered = _read_reply(await control.ask(_GET_SETTINGS, kind))
            if status == _OK and offered.get(_RATE):
                chosen[kind] = _chosen(offered, wish, is_acceleration=kind == _ACCELERATION)
        if _ACCELERATION not in chosen:
            raise CommandRefused(f"{connection.sensor_id}: the sensor offers no acceleration")
        details = {
            _NAMES[kind]: {
                "rate_hz": settings[_RATE],
                "resolution": settings.get(_RESOLUTION, 16),
                "range": settings.get(_RANGE, 0),
            }
            for kind, settings in chosen.items()
        }
        description = StreamDescription(self.kind, stream_id, float(chosen[_ACCELERATION][_RATE]), details)
        connection.put(FrameKind.DRIVER, description.to_bytes())
        await connection.follow_battery()
        await connection.subscribe(DATA, FrameKind.DATA)
        for kind, settings in chosen.items():
            wanted = b"".join(
                bytes([setting, 1]) + value.to_bytes(_SETTING_BYTES[setting], "little")
                for setting, value in settings.items()
            )
            reply = await control.ask(_START, kind, wanted)
            connection.put(FrameKind.REPLY, reply)
            _, _, status, _ = _read_reply(reply)
            if status != _OK:
                raise CommandRefused(
                    f"{connection.sensor_id}: the sensor does not measure {_NAMES[kind]}: status {status}"
                )
        return description

    async def end(self, connection: SensorConnection) -> None:
        """Stop both measurements, or they would drain the battery."""
        for kind in _NAMES:
            await connection.write(CONTROL_POINT, bytes([_STOP, kind]), response=True)

    async def identify(self, connection: SensorConnection, duration_s: int) -> None:
        """Refuse."""
        del duration_s
        raise CommandRefused(f"{connection.sensor_id}: Polar sensors cannot be made to show themselves")

    def decoder(self, description: StreamDescription) -> PolarDecoder:
        """Make the decoder of a stream."""
        return PolarDecoder(description)


class _ControlPoint:
    """Writes a request, waits for the indication that answers it."""

    def __init__(self, connection: SensorConnection) -> None:
        self._connection = connection
        self._waiting: tuple[bytes, asyncio.Future[bytes]] | None = None

    def hear(self, payload: bytes) -> None:
        if self._waiting is not None:
            head, reply = self._waiting
            if payload.startswith(head) and not reply.done():
                reply.set_result(payload)

    async def ask(self, op: int, kind: int, settings: bytes = b"") -> bytes:
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting = bytes([_REPLY, op, kind]), reply
        try:
            await self._connection.write(CONTROL_POINT, bytes([op, kind]) + settings, response=True)
            async with asyncio.timeout(_REPLY_S):
                return await reply
        except TimeoutError:
            raise LinkLost(
                f"{self._connection.sensor_id}: the sensor does not answer request {op} for {_NAMES[kind]}"
            ) from None
        finally:
            self._waiting = None


def _chosen(offered: dict[int, list[int]], wish: SensorSettings, *, is_acceleration: bool) -> dict[int, int]:
    """Choose of each setting the value nearest to the wish; of what is not wished for the largest."""
    least = wish.accel_range_g if is_acceleration else wish.gyro_range_dps
    chosen = {}
    for setting, values in offered.items():
        if setting == _RATE:
            chosen[setting] = nearest_rate([value for value in values if value > 0] or [1], wish)
        elif setting == _RESOLUTION:
            chosen[setting] = 16 if 16 in values else max(values)
        elif setting == _RANGE:
            chosen[setting] = min((value for value in values if value >= least), default=max(values))
        elif setting == _CHANNELS:
            chosen[setting] = max(values)
    return chosen


def _read_reply(payload: bytes) -> tuple[int, int, int, dict[int, list[int]]]:
    """Return operation, kind, status and settings of a control point's reply."""
    if len(payload) < 4 or payload[0] != _REPLY:
        raise ProtocolError("no reply of the control point", payload)
    settings: dict[int, list[int]] = {}
    position = 5
    while position + 2 <= len(payload):
        setting, count = payload[position], payload[position + 1]
        size, position = _SETTING_BYTES.get(setting, 0), position + 2
        end = position + count * size
        if not size or not count or end > len(payload):
            raise Truncated(f"setting {setting} with {count} values does not fit", payload)
        settings[setting] = [
            int.from_bytes(payload[at : at + size], "little") for at in range(position, end, size)
        ]
        position = end
    return payload[1], payload[2], payload[3], settings


def _factor(settings: dict[int, list[int]], payload: bytes) -> float:
    (factor,) = struct.unpack("<f", settings[_FACTOR][0].to_bytes(4, "little"))
    if not (math.isfinite(factor) and 0.0 < factor < 1e6):
        raise FieldOutOfRange(f"a factor of {factor}", payload)
    return float(factor)
