"""The sensor families the bridge knows, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sensor_bridge.ble.drivers.hipline import HiplineDriver

if TYPE_CHECKING:
    from sensor_bridge.ble.driver import Advertisement, Driver

HIPLINE: Final = HiplineDriver.kind
DRIVERS: Final[dict[str, Driver]] = {driver.kind: driver for driver in (HiplineDriver(),)}


def recognise(heard: Advertisement) -> str | None:
    """Tell the kind of a sensor by its advertisement; None where no driver knows it."""
    return next((kind for kind, driver in DRIVERS.items() if driver.recognises(heard)), None)
