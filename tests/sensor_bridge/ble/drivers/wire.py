"""What the driver tests share: frames by hand, and a sensor that answers as it is told."""

from __future__ import annotations

from types import SimpleNamespace

from sensor_bridge.ble.driver import StreamDescription
from sensor_bridge.ble.drivers import DRIVERS
from sensor_bridge.ble.link import FrameKind, ReceivedFrame

UTC_NS = 1_700_000_000_000_000_000
WISH = SimpleNamespace(
    sensor_id="hip",
    address=None,
    name=None,
    kind=None,
    layout=None,
    sampling_rate_hz=100.0,
    accel_range_g=8,
    gyro_range_dps=1000,
    batch=10,
)


def data(payload: str | bytes, arrival_s: float = 0.0, kind: FrameKind = FrameKind.DATA) -> ReceivedFrame:
    value = bytes.fromhex(payload) if isinstance(payload, str) else payload
    return ReceivedFrame("hip", UTC_NS + round(arrival_s * 1e9), kind, value)


def decoder(kind: str, rate_hz: float, **details):
    return DRIVERS[kind].decoder(StreamDescription(kind, 7, rate_hz, details))


class ToldSensor:
    """A connection to nobody: keeps what is written, sends what the test answers to it."""

    sensor_id = "hip"

    def __init__(self, answer=lambda _uuid, _value: (), reads=None):
        self.written: list[tuple[str, str]] = []
        self.frames: list[tuple[FrameKind, bytes]] = []
        self._answer = answer
        self._reads = reads or {}
        self._listeners = {}

    async def read(self, uuid):
        return self._reads[uuid]

    async def write(self, uuid, value, *, response):
        self.written.append((uuid[4:8], value.hex(" ")))
        for answer_uuid, answer in self._answer(uuid, value):
            self._listeners[answer_uuid](answer)

    async def listen(self, uuid, hear):
        self._listeners[uuid] = hear

    async def subscribe(self, uuid, kind, on_payload=None):
        def hear(value):
            self.put(kind, value)
            if on_payload is not None:
                on_payload(value)

        self._listeners[uuid] = hear

    async def follow_battery(self):
        pass

    def put(self, kind, value):
        self.frames.append((kind, bytes(value)))

    def description(self):
        (payload,) = (value for kind, value in self.frames if kind is FrameKind.DRIVER)
        return StreamDescription.from_bytes(payload)
