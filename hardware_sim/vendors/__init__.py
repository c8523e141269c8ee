"""Firmware of sensors people can buy, as vendors publish it; written apart from the bridge's drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hardware_sim.vendors.movella_dot import MovellaDot
from hardware_sim.vendors.movesense import Movesense
from hardware_sim.vendors.own_sketch import OwnSketch
from hardware_sim.vendors.polar import PolarVeritySense
from hardware_sim.vendors.thingy52 import Thingy52
from hardware_sim.vendors.witmotion import WitMotion

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware_sim.recording_source import SampleSource
    from hardware_sim.vendor_firmware import VendorFirmware

FIRMWARES: Final[dict[str, Callable[[SampleSource], VendorFirmware]]] = {
    "movella-dot": MovellaDot,
    "witmotion": WitMotion,
    "polar": PolarVeritySense,
    "movesense": Movesense,
    "thingy52": Thingy52,
    "generic": OwnSketch,
}
# The rate a bridge that wishes for 100 Hz gets of each.
RATES_HZ: Final = {
    "movella-dot": 60.0,
    "witmotion": 100.0,
    "polar": 52.0,
    "movesense": 104.0,
    "thingy52": 60.0,
    "generic": 50.0,
}
