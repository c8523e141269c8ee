"""What a virtual sensor shows of itself on the air: its advertisement, services and characteristics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firmware_protocol import gatt
from firmware_protocol.gatt import Characteristic, Property, Service


@dataclass(frozen=True, slots=True)
class GattTable:
    """One kind of sensor, as a host sees it.

    Parameters
    ----------
    services, characteristics
        In the order of their handles.
    advertised_service
        UUID of the service it announces; None where it announces none.
    manufacturer_data
        Company identifier (u16, little-endian) and what follows; empty where it sends none.
    """

    services: tuple[Service, ...]
    characteristics: tuple[Characteristic, ...]
    advertised_service: str | None = None
    manufacturer_data: bytes = b""


HIPLINE_TABLE: Final = GattTable(gatt.SERVICES, gatt.CHARACTERISTICS, gatt.SERVICE_UUID)
BATTERY_SERVICE: Final = next(each for each in gatt.SERVICES if each.uuid == gatt.BATTERY_SERVICE_UUID)
BATTERY_LEVEL: Final = next(each for each in gatt.CHARACTERISTICS if each.uuid == gatt.BATTERY_LEVEL_UUID)


def characteristic(name: str, uuid: str, service_uuid: str, *properties: Property) -> Characteristic:
    """Make a characteristic of another vendor's sensor; its vendor documents it."""
    return Characteristic(name, uuid, service_uuid, properties, packet="", meaning="")
