"""The sensor families the bridge knows, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sensor_bridge.ble.drivers.generic import GenericDriver
from sensor_bridge.ble.drivers.hipline import HiplineDriver
from sensor_bridge.ble.drivers.movella_dot import MovellaDotDriver
from sensor_bridge.ble.drivers.movesense import MovesenseDriver
from sensor_bridge.ble.drivers.polar import PolarDriver
from sensor_bridge.ble.drivers.thingy52 import Thingy52Driver
from sensor_bridge.ble.drivers.witmotion import WitMotionDriver

if TYPE_CHECKING:
    from sensor_bridge.ble.driver import Advertisement, Driver, StreamingDriver

HIPLINE: Final = HiplineDriver.kind
_STREAMING: Final[tuple[StreamingDriver, ...]] = (
    MovellaDotDriver(),
    WitMotionDriver(),
    PolarDriver(),
    MovesenseDriver(),
    Thingy52Driver(),
    GenericDriver(),
)
STREAMING_DRIVERS: Final[dict[str, StreamingDriver]] = {driver.kind: driver for driver in _STREAMING}
DRIVERS: Final[dict[str, Driver]] = {HIPLINE: HiplineDriver(), **STREAMING_DRIVERS}


def recognise(heard: Advertisement) -> str | None:
    """Tell the kind of a sensor by its advertisement; None where no driver knows it."""
    return next((kind for kind, driver in DRIVERS.items() if driver.recognises(heard)), None)
