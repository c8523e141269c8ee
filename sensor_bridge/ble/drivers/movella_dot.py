"""Movella DOT (Xsens DOT), payload mode 21 "rate quantities": one sample a notification, timed, not numbered.

Layouts by the vendor's "Xsens DOT BLE Services Specifications" (XD0506P rev F); no sensor was at hand.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.errors import FieldOutOfRange, Truncated
from firmware_protocol.ranges import STANDARD_GRAVITY_M_S2
from sensor_bridge.ble.device_time import TimedStream, WrappingCounter
from sensor_bridge.ble.driver import StreamDescription, nearest_rate
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.ble.samples import COMPLETE, SampleRun, StreamTraits

if TYPE_CHECKING:
    from sensor_bridge.ble.connection import SensorConnection
    from sensor_bridge.ble.driver import Advertisement
    from sensor_bridge.ble.link import ReceivedFrame, SensorSettings

_BASE: Final = "1517{:04x}-4947-11e9-8646-d663bd873d93"
CONFIGURATION_SERVICE: Final = _BASE.format(0x1000)
MEASUREMENT_SERVICE: Final = _BASE.format(0x2000)
BATTERY_SERVICE: Final = _BASE.format(0x3000)
DEVICE_CONTROL: Final = _BASE.format(0x1002)
MEASUREMENT_CONTROL: Final = _BASE.format(0x2001)
MEDIUM_PAYLOAD: Final = _BASE.format(0x2003)
BATTERY: Final = _BASE.format(0x3001)

_COMPANY_ID: Final = 0x0886
_NAMES: Final = ("Xsens DOT", "Movella DOT")
_RATES_HZ: Final = (1, 4, 10, 12, 15, 20, 30, 60)
_RATE_QUANTITIES: Final = 21
_SAMPLE: Final = struct.Struct("<I6f")
_CONTROL: Final = struct.Struct("<B23xH6x")  # visit mask, output rate
_VISIT_IDENTIFY, _VISIT_RATE = 0x01, 0x10
_NEAR_FULL_SCALE: Final = 0.999  # what is sent is integrated from 800 Hz: it seldom reads the limit itself
_ACC_LIMIT: Final = 16 * STANDARD_GRAVITY_M_S2 * _NEAR_FULL_SCALE
_GYR_LIMIT: Final = 2000.0 * _NEAR_FULL_SCALE


class MovellaDotDecoder:
    """Medium payloads of mode 21 to runs of one sample.

    Parameters
    ----------
    description
        The stream.
    """

    traits: StreamTraits = COMPLETE
    n_rejected: Final = 0

    def __init__(self, description: StreamDescription) -> None:
        self._rate_hz = description.sampling_rate_hz
        self._clock = WrappingCounter(32)
        self._stream = TimedStream(description.stream_id, description.sampling_rate_hz)

    def push(self, frame: ReceivedFrame) -> list[SampleRun]:
        """Take one frame; only DATA holds a sample."""
        if frame.kind is not FrameKind.DATA:
            return []
        if len(frame.payload) < _SAMPLE.size:
            raise Truncated(
                f"{len(frame.payload)} bytes where {_SAMPLE.size} of mode 21 belong", frame.payload
            )
        raw_us, *numbers = _SAMPLE.unpack_from(frame.payload)
        if not all(math.isfinite(number) for number in numbers):
            raise FieldOutOfRange("a measured value is not a number", frame.payload)
        time_us = self._clock.unwrapped(raw_us)
        index = self._stream.number(time_us, 1)
        return [
            SampleRun(
                stream_id=self._stream.stream_id,
                first_sample_index=index,
                device_time_us=time_us,
                sampling_rate_hz=self._rate_hz,
                values=np.array([numbers], dtype=np.float64),
                acc_unit_m_s2=1.0,
                gyr_unit_rad_s=math.radians(1.0),
                acc_limit=_ACC_LIMIT,
                gyr_limit=_GYR_LIMIT,
            )
        ]

    def flush(self) -> list[SampleRun]:
        """Return nothing: nothing waits."""
        return []


class MovellaDotDriver:
    """Finds, starts and reads Movella DOT sensors."""

    kind: Final = "movella-dot"
    family: Final = "Movella DOT"
    services: Final = (CONFIGURATION_SERVICE, MEASUREMENT_SERVICE, BATTERY_SERVICE)
    samples_per_payload: Final = 1

    def recognises(self, heard: Advertisement) -> bool:
        """Tell by the company identifier, or by the name where nobody has changed it."""
        return _COMPANY_ID in heard.company_ids or (heard.name or "").startswith(_NAMES)

    async def begin(
        self, connection: SensorConnection, wish: SensorSettings, stream_id: int
    ) -> StreamDescription:
        """Set the output rate, subscribe and start mode 21."""
        rate_hz = nearest_rate(_RATES_HZ, wish)
        await self.end(connection)  # the rate can be set at rest only
        await connection.write(DEVICE_CONTROL, _CONTROL.pack(_VISIT_RATE, rate_hz), response=True)
        description = StreamDescription(self.kind, stream_id, float(rate_hz))
        connection.put(FrameKind.DRIVER, description.to_bytes())
        connection.put(FrameKind.BATTERY, await connection.read(BATTERY))
        await connection.subscribe(BATTERY, FrameKind.BATTERY)
        await connection.subscribe(MEDIUM_PAYLOAD, FrameKind.DATA)
        await connection.write(MEASUREMENT_CONTROL, bytes([1, 1, _RATE_QUANTITIES]), response=True)
        return description

    async def end(self, connection: SensorConnection) -> None:
        """Stop measuring."""
        await connection.write(MEASUREMENT_CONTROL, bytes([1, 0, _RATE_QUANTITIES]), response=True)

    async def identify(self, connection: SensorConnection, duration_s: int) -> None:
        """Make it blink its own pattern once; it takes no duration."""
        del duration_s
        command = bytearray(_CONTROL.pack(_VISIT_IDENTIFY, 0))
        command[1] = 1
        await connection.write(DEVICE_CONTROL, bytes(command), response=True)

    def decoder(self, description: StreamDescription) -> MovellaDotDecoder:
        """Make the decoder of a stream."""
        return MovellaDotDecoder(description)
