"""Movesense with the ``gatt_sensordata`` application: batches of samples, timed in ms, not numbered.

Layouts by the vendor's "GATT SensorData protocol" and published clients; no sensor was at hand. A batch
that is longer than one notification comes in two parts.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.errors import FieldOutOfRange, ProtocolError, Truncated, UnknownPacket
from firmware_protocol.gatt import BATTERY_SERVICE_UUID
from sensor_bridge.ble.device_time import TimedStream, WrappingCounter
from sensor_bridge.ble.driver import StreamDescription, nearest_rate
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.ble.samples import COMPLETE, SampleRun, StreamTraits
from sensor_bridge.errors import CommandRefused, LinkLost

if TYPE_CHECKING:
    from sensor_bridge.ble.connection import SensorConnection
    from sensor_bridge.ble.driver import Advertisement
    from sensor_bridge.ble.link import ReceivedFrame, SensorSettings

SERVICE: Final = "34802252-7185-4d5d-b431-630e7050e8f0"
COMMAND: Final = "34800001-7185-4d5d-b431-630e7050e8f0"
NOTIFICATION: Final = "34800002-7185-4d5d-b431-630e7050e8f0"

_SUBSCRIBE, _UNSUBSCRIBE = 1, 2
_RESPONSE, _DATA, _DATA_PART_2 = 1, 2, 3
_REFERENCE: Final = 99  # any number: names our subscription
_RATES_HZ: Final = (13, 26, 52, 104, 208)
_OK: Final = range(200, 300)  # the status is that of HTTP
_REPLY_S: Final = 5.0
_HEAD_BYTES, _TIME_BYTES, _SAMPLE_BYTES = 2, 4, 24
_LONGEST_BATCH: Final = 1024  # bytes
_US_PER_MS: Final = 1000


class MovesenseDecoder:
    """Notifications of an IMU6 subscription to runs.

    Parameters
    ----------
    description
        The stream.
    """

    traits: StreamTraits = COMPLETE

    def __init__(self, description: StreamDescription) -> None:
        self._rate_hz = description.sampling_rate_hz
        self._clock = WrappingCounter(32)
        self._stream = TimedStream(description.stream_id, description.sampling_rate_hz)
        self._first_part: bytes | None = None
        self.n_rejected = 0

    def push(self, frame: ReceivedFrame) -> list[SampleRun]:
        """Take one frame; only DATA holds samples, and the answers to commands none."""
        payload = frame.payload
        if frame.kind is not FrameKind.DATA:
            return []
        if len(payload) < _HEAD_BYTES:
            raise Truncated("a notification without its head", payload)
        what, reference = payload[0], payload[1]
        if what == _RESPONSE:
            return []
        if reference != _REFERENCE:
            raise FieldOutOfRange(f"data of subscription {reference}, which is not ours", payload)
        first_part, self._first_part = self._first_part, None
        if what == _DATA:
            self.n_rejected += first_part is not None  # its second part never came
            batch = payload[_HEAD_BYTES:]
            if len(batch) > _TIME_BYTES and not (len(batch) - _TIME_BYTES) % _SAMPLE_BYTES:
                return [self._run(batch)]
            self._first_part = batch[:_LONGEST_BATCH]
            return []
        if what != _DATA_PART_2:
            raise UnknownPacket(f"a notification of kind {what}", payload)
        if first_part is None:
            raise ProtocolError("a second part without its first", payload)
        batch = first_part + payload[_HEAD_BYTES:]
        if len(batch) <= _TIME_BYTES or (len(batch) - _TIME_BYTES) % _SAMPLE_BYTES:
            raise Truncated(f"{len(batch)} bytes are no whole number of samples", payload)
        return [self._run(batch)]

    def flush(self) -> list[SampleRun]:
        """Return nothing: a first part alone is no run."""
        return []

    def _run(self, batch: bytes) -> SampleRun:
        numbers = np.frombuffer(batch, dtype="<f4", offset=_TIME_BYTES).astype(np.float64)
        if not np.isfinite(numbers).all():
            raise FieldOutOfRange("a measured value is not a number", batch)
        acc, gyr = numbers.reshape(2, -1, 3)
        time_us = self._clock.unwrapped(int.from_bytes(batch[:_TIME_BYTES], "little")) * _US_PER_MS
        index = self._stream.number(time_us, len(acc))
        return SampleRun(
            stream_id=self._stream.stream_id,
            first_sample_index=index,
            device_time_us=time_us,
            sampling_rate_hz=self._rate_hz,
            values=np.hstack([acc, gyr]),
            acc_unit_m_s2=1.0,
            gyr_unit_rad_s=math.radians(1.0),
        )


class MovesenseDriver:
    """Finds, starts and reads Movesense sensors."""

    kind: Final = "movesense"
    family: Final = "Movesense (gatt_sensordata)"
    services: Final = (SERVICE, BATTERY_SERVICE_UUID)
    samples_per_payload: Final = 8

    def recognises(self, heard: Advertisement) -> bool:
        """Tell by the name, which ends in the serial number."""
        return (heard.name or "").startswith("Movesense ")

    async def begin(
        self, connection: SensorConnection, wish: SensorSettings, stream_id: int
    ) -> StreamDescription:
        """Subscribe to accelerometer and gyroscope."""
        rate_hz = nearest_rate(_RATES_HZ, wish)
        description = StreamDescription(self.kind, stream_id, float(rate_hz))
        connection.put(FrameKind.DRIVER, description.to_bytes())
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def hear(payload: bytes) -> None:
            if payload[:2] == bytes([_RESPONSE, _REFERENCE]) and not answer.done():
                answer.set_result(int.from_bytes(payload[2:4], "little"))

        await connection.subscribe(NOTIFICATION, FrameKind.DATA, hear)
        path = f"/Meas/IMU6/{rate_hz}".encode()
        await connection.write(COMMAND, bytes([_SUBSCRIBE, _REFERENCE]) + path, response=True)
        try:
            async with asyncio.timeout(_REPLY_S):
                status = await answer
        except TimeoutError:
            raise LinkLost(f"{connection.sensor_id}: the sensor does not answer commands") from None
        if status not in _OK:
            raise CommandRefused(f"{connection.sensor_id}: the sensor does not measure: status {status}")
        await connection.follow_battery()
        return description

    async def end(self, connection: SensorConnection) -> None:
        """Cancel the subscription."""
        await connection.write(COMMAND, bytes([_UNSUBSCRIBE, _REFERENCE]), response=True)

    async def identify(self, connection: SensorConnection, duration_s: int) -> None:
        """Refuse."""
        del duration_s
        raise CommandRefused(
            f"{connection.sensor_id}: this application of a Movesense cannot make it show itself"
        )

    def decoder(self, description: StreamDescription) -> MovesenseDecoder:
        """Make the decoder of a stream."""
        return MovesenseDecoder(description)
