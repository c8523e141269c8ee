"""Nordic Thingy:52, raw motion data: one sample a notification, neither timed nor numbered.

Layouts by the firmware's source (Nordic-Thingy52-FW, ble_tms.h and m_motion.c); no sensor was at hand.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.errors import TrailingBytes, Truncated
from firmware_protocol.gatt import BATTERY_SERVICE_UUID
from firmware_protocol.ranges import STANDARD_GRAVITY_M_S2
from sensor_bridge.ble.arrival_time import ArrivalTiming
from sensor_bridge.ble.driver import StreamDescription, nearest_rate
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.ble.samples import ARRIVAL_TIMED, SampleScale, StreamTraits
from sensor_bridge.errors import CommandRefused, WrongFirmware

if TYPE_CHECKING:
    from sensor_bridge.ble.connection import SensorConnection
    from sensor_bridge.ble.driver import Advertisement
    from sensor_bridge.ble.link import ReceivedFrame, SensorSettings
    from sensor_bridge.ble.samples import SampleRun

_BASE: Final = "ef68{:04x}-9b35-4933-9b10-52ffa9740042"
CONFIGURATION_SERVICE: Final = _BASE.format(0x0100)
MOTION_SERVICE: Final = _BASE.format(0x0400)
MOTION_CONFIGURATION: Final = _BASE.format(0x0401)
RAW_MOTION: Final = _BASE.format(0x0406)

# Intervals of pedometer, temperature and compass, ms; motion rate, Hz; wake on motion.
_CONFIGURATION: Final = struct.Struct("<HHHHB")
_SAMPLE: Final = struct.Struct("<6h6x")  # acceleration, angular rate, compass
# It takes up to 200 Hz: with a notification for each sample more than radio is likely to carry.
_RATES_HZ: Final = (5, 10, 20, 25, 50, 60)
_SCALE: Final = SampleScale(
    acc_unit_m_s2=STANDARD_GRAVITY_M_S2 / 1024,
    gyr_unit_rad_s=math.radians(1 / 32),
    acc_limit=32767.0,
    gyr_limit=32767.0,
)


class Thingy52Decoder:
    """Raw motion payloads to arrival-timed runs.

    Parameters
    ----------
    description
        The stream.
    """

    traits: StreamTraits = ARRIVAL_TIMED
    n_rejected: Final = 0

    def __init__(self, description: StreamDescription) -> None:
        self._timing = ArrivalTiming(description, _SCALE)

    def push(self, frame: ReceivedFrame) -> list[SampleRun]:
        """Take one frame; only DATA holds a sample."""
        if frame.kind is not FrameKind.DATA:
            return []
        if len(frame.payload) != _SAMPLE.size:
            wrong = Truncated if len(frame.payload) < _SAMPLE.size else TrailingBytes
            raise wrong(
                f"{len(frame.payload)} bytes where {_SAMPLE.size} of raw motion belong", frame.payload
            )
        values = np.array([_SAMPLE.unpack(frame.payload)], dtype=np.float64)
        return self._timing.push(values, frame.arrival_ns)

    def flush(self) -> list[SampleRun]:
        """Return what waited for its time."""
        return self._timing.flush()


class Thingy52Driver:
    """Finds, starts and reads Thingy:52 boards with the firmware they are sold with."""

    kind: Final = "thingy52"
    family: Final = "Nordic Thingy:52"
    services: Final = (MOTION_SERVICE, BATTERY_SERVICE_UUID)
    samples_per_payload: Final = 1

    def recognises(self, heard: Advertisement) -> bool:
        """Tell by the configuration service, or by the name where nobody has changed it."""
        return CONFIGURATION_SERVICE in heard.service_uuids or heard.name == "Thingy"

    async def begin(
        self, connection: SensorConnection, wish: SensorSettings, stream_id: int
    ) -> StreamDescription:
        """Set the motion rate, and subscribe: that starts it."""
        rate_hz = nearest_rate(_RATES_HZ, wish)
        configuration = await connection.read(MOTION_CONFIGURATION)
        if len(configuration) != _CONFIGURATION.size:
            raise WrongFirmware(
                f"{connection.sensor_id}: its motion configuration has {len(configuration)} bytes, not "
                f"{_CONFIGURATION.size}; is it a Thingy:52 with the firmware it was sold with?"
            )
        pedometer_ms, temperature_ms, compass_ms, _, wakes = _CONFIGURATION.unpack(configuration)
        wanted = _CONFIGURATION.pack(pedometer_ms, temperature_ms, compass_ms, rate_hz, wakes)
        await connection.write(MOTION_CONFIGURATION, wanted, response=True)
        description = StreamDescription(self.kind, stream_id, float(rate_hz))
        connection.put(FrameKind.DRIVER, description.to_bytes())
        await connection.follow_battery()
        await connection.subscribe(RAW_MOTION, FrameKind.DATA)
        return description

    async def end(self, connection: SensorConnection) -> None:
        """Do nothing: it stops with the link."""

    async def identify(self, connection: SensorConnection, duration_s: int) -> None:
        """Refuse."""
        del duration_s
        raise CommandRefused(
            f"{connection.sensor_id}: a Thingy:52 cannot be made to show itself by this program"
        )

    def decoder(self, description: StreamDescription) -> Thingy52Decoder:
        """Make the decoder of a stream."""
        return Thingy52Decoder(description)
