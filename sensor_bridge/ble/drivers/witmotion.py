"""WitMotion WT901BLE and WT9011DCL (BLE 5.0): a stream of 20-byte frames, neither timed nor numbered.

Layouts by the vendor's SDKs (WITMOTION/WitBluetooth_BWT901BLE5_0); no sensor was at hand. Notifications may
split a frame or hold several, so the payloads are read as one stream of bytes.
"""

from __future__ import annotations

import asyncio
import math
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.ranges import STANDARD_GRAVITY_M_S2
from sensor_bridge.ble.arrival_time import ArrivalTiming
from sensor_bridge.ble.driver import StreamDescription, nearest_rate
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.ble.samples import ARRIVAL_TIMED, SampleScale, StreamTraits
from sensor_bridge.errors import CommandRefused

if TYPE_CHECKING:
    from sensor_bridge.ble.connection import SensorConnection
    from sensor_bridge.ble.driver import Advertisement
    from sensor_bridge.ble.link import ReceivedFrame, SensorSettings
    from sensor_bridge.ble.samples import SampleRun

# The vendor's base ends in 9a34fb, where the SIG's ends in 9b34fb.
SERVICE: Final = "0000ffe5-0000-1000-8000-00805f9a34fb"
STREAM: Final = "0000ffe4-0000-1000-8000-00805f9a34fb"
COMMAND: Final = "0000ffe9-0000-1000-8000-00805f9a34fb"

_FRAME_BYTES, _HEAD_BYTES = 20, 2
_SAMPLES_HEAD, _REGISTERS_HEAD = b"\x55\x61", b"\x55\x71"
_HEADS: Final = (_SAMPLES_HEAD, _REGISTERS_HEAD)
_SAMPLE: Final = struct.Struct("<2x6h6x")  # head, acceleration, angular rate, angles
_REGISTERS: Final = struct.Struct("<2xH8h")  # head, first register, eight registers
_UNLOCK: Final = bytes.fromhex("ff aa 69 88 b5")
_RATE_REGISTER, _BATTERY_REGISTER = 0x03, 0x64
_RATE_CODES: Final = {10: 0x06, 20: 0x07, 50: 0x08, 100: 0x09, 200: 0x0B}
_BATTERY_PERCENT: Final = (  # from so many centivolts on
    (396, 100),
    (393, 90),
    (387, 75),
    (382, 60),
    (379, 50),
    (377, 40),
    (373, 30),
    (370, 20),
    (368, 15),
    (350, 10),
    (340, 5),
)
_REPLY_S: Final = 1.0
_SCALE: Final = SampleScale(
    acc_unit_m_s2=16 * STANDARD_GRAVITY_M_S2 / 32768,
    gyr_unit_rad_s=math.radians(2000 / 32768),
    acc_limit=32767.0,
    gyr_limit=32767.0,
)


class FrameReassembly:
    """Bytes in, however cut; whole frames out.

    Frames have no checksum. One that lost its end would be filled up with the beginning of the next: it is
    believed when another frame begins right behind it.
    """

    def __init__(self) -> None:
        self.n_resyncs = 0
        self._buffer = b""
        self._is_in_step = False

    def push(self, payload: bytes) -> list[bytes]:
        """Take the bytes of one notification, return the frames that are complete."""
        data = self._buffer + payload
        frames, position = [], 0
        while len(data) - position >= _FRAME_BYTES + _HEAD_BYTES:
            after = position + _FRAME_BYTES
            heads = data[position : position + _HEAD_BYTES], data[after : after + _HEAD_BYTES]
            if heads[0] in _HEADS and heads[1] in _HEADS:
                self._is_in_step = True
                frames.append(data[position:after])
                position = after
                continue
            self.n_resyncs += self._is_in_step
            self._is_in_step = False
            position += 1
        self._buffer = data[position:]
        return frames


class WitMotionDecoder:
    """The stream of bytes to arrival-timed runs.

    Parameters
    ----------
    description
        The stream.
    """

    traits: StreamTraits = ARRIVAL_TIMED

    def __init__(self, description: StreamDescription) -> None:
        self._frames = FrameReassembly()
        self._timing = ArrivalTiming(description, _SCALE)

    @property
    def n_rejected(self) -> int:
        """Times the stream held bytes that are no frame."""
        return self._frames.n_resyncs

    def push(self, frame: ReceivedFrame) -> list[SampleRun]:
        """Take one frame; only DATA holds samples, and answers among them that hold none."""
        if frame.kind is not FrameKind.DATA:
            return []
        samples = [
            _SAMPLE.unpack(each)
            for each in self._frames.push(frame.payload)
            if each.startswith(_SAMPLES_HEAD)
        ]
        if not samples:
            return []
        return self._timing.push(np.array(samples, dtype=np.float64), frame.arrival_ns)

    def flush(self) -> list[SampleRun]:
        """Return what waited for its time."""
        return self._timing.flush()


class WitMotionDriver:
    """Finds, starts and reads WitMotion sensors of the BLE 5.0 family."""

    kind: Final = "witmotion"
    family: Final = "WitMotion BLE 5.0"
    services: Final = (SERVICE,)
    samples_per_payload: Final = 1

    def recognises(self, heard: Advertisement) -> bool:
        """Tell by the name: WT901BLE68, WT9011DCL-BT50."""
        return (heard.name or "").startswith("WT901")

    async def begin(
        self, connection: SensorConnection, wish: SensorSettings, stream_id: int
    ) -> StreamDescription:
        """Set the rate (unsaved: its flash wears), subscribe, which starts it, read rate and battery."""
        rate_hz = nearest_rate(tuple(_RATE_CODES), wish)
        await connection.write(COMMAND, _UNLOCK, response=False)
        await connection.write(COMMAND, _write(_RATE_REGISTER, _RATE_CODES[rate_hz]), response=False)
        description = StreamDescription(self.kind, stream_id, float(rate_hz))
        connection.put(FrameKind.DRIVER, description.to_bytes())
        answers = _Answers()
        await connection.subscribe(STREAM, FrameKind.DATA, answers.hear)
        code = await answers.ask(connection, _RATE_REGISTER)
        if code is not None and code != _RATE_CODES[rate_hz]:
            raise CommandRefused(
                f"{connection.sensor_id}: the sensor does not measure at {rate_hz} Hz: "
                f"it says rate code {code}"
            )
        centivolts = await answers.ask(connection, _BATTERY_REGISTER)
        if centivolts is not None:
            connection.put(FrameKind.BATTERY, bytes([_battery_percent(centivolts)]))
        return description

    async def end(self, connection: SensorConnection) -> None:
        """Do nothing: it stops with the link."""

    async def identify(self, connection: SensorConnection, duration_s: int) -> None:
        """Refuse."""
        del duration_s
        raise CommandRefused(f"{connection.sensor_id}: WitMotion sensors cannot be made to show themselves")

    def decoder(self, description: StreamDescription) -> WitMotionDecoder:
        """Make the decoder of a stream."""
        return WitMotionDecoder(description)


class _Answers:
    """Picks the answers to register reads out of the stream."""

    def __init__(self) -> None:
        self._frames = FrameReassembly()
        self._waiting: tuple[int, asyncio.Future[int]] | None = None

    def hear(self, payload: bytes) -> None:
        if self._waiting is None:
            return
        register, answer = self._waiting
        for frame in self._frames.push(payload):
            if not frame.startswith(_REGISTERS_HEAD):
                continue
            first, value, *_ = _REGISTERS.unpack(frame)
            if first == register and not answer.done():
                answer.set_result(value)

    async def ask(self, connection: SensorConnection, register: int) -> int | None:
        """Read one register; None where the sensor does not answer."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting = register, answer
        await connection.write(COMMAND, bytes([0xFF, 0xAA, 0x27, register, 0x00]), response=False)
        try:
            async with asyncio.timeout(_REPLY_S):
                return await answer
        except TimeoutError:
            return None
        finally:
            self._waiting = None


def _write(register: int, value: int) -> bytes:
    return bytes([0xFF, 0xAA, register]) + value.to_bytes(2, "little")


def _battery_percent(centivolts: int) -> int:
    return next((percent for least, percent in _BATTERY_PERCENT if centivolts >= least), 0)
