"""bleak's scanner on bumble."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.uuids import normalize_uuid_str
from bumble.core import UUID, AdvertisingData

if TYPE_CHECKING:
    from bumble import hci
    from bumble.device import Advertisement

    from hardware_sim.bleak_backend import BumbleAdapter

_UUID_LISTS: Final[dict[int, int]] = {
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.INCOMPLETE_LIST_OF_32_BIT_SERVICE_CLASS_UUIDS: 4,
    AdvertisingData.COMPLETE_LIST_OF_32_BIT_SERVICE_CLASS_UUIDS: 4,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
}
_SERVICE_DATA: Final[dict[int, int]] = {
    AdvertisingData.SERVICE_DATA_16_BIT_UUID: 2,
    AdvertisingData.SERVICE_DATA_32_BIT_UUID: 4,
    AdvertisingData.SERVICE_DATA_128_BIT_UUID: 16,
}
_NAMES: Final = (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME)


def address_text(address: hci.Address) -> str:
    """Write an address as bleak does."""
    return str(address.to_string(with_type_qualifier=False)).upper()


def uuid_text(uuid: UUID) -> str:
    """Write a UUID as bleak does: 128 bits, lower case."""
    return normalize_uuid_str(uuid.to_hex_str("-"))


@dataclass(slots=True)
class _Known:
    """What a sensor has said so far, in advertisement and scan response."""

    name: str | None = None
    manufacturer_data: dict[int, bytes] = field(default_factory=dict)
    service_data: dict[str, bytes] = field(default_factory=dict)
    service_uuids: list[str] = field(default_factory=list)
    tx_power: int | None = None

    def learn(self, kind: int, data: bytes) -> None:
        if kind in _NAMES:
            self.name = data.decode("utf-8", "replace")
        elif size := _UUID_LISTS.get(kind):
            for start in range(0, len(data) - size + 1, size):
                uuid = uuid_text(UUID.from_bytes(data[start : start + size]))
                if uuid not in self.service_uuids:
                    self.service_uuids.append(uuid)
        elif size := _SERVICE_DATA.get(kind):
            self.service_data[uuid_text(UUID.from_bytes(data[:size]))] = data[size:]
        elif kind == AdvertisingData.MANUFACTURER_SPECIFIC_DATA and len(data) >= 2:
            self.manufacturer_data[int.from_bytes(data[:2], "little")] = data[2:]
        elif kind == AdvertisingData.TX_POWER_LEVEL and data:
            self.tx_power = int.from_bytes(data[:1], "little", signed=True)


class BumbleScanner(BaseBleakScanner):
    """Scanner of one adapter.

    Parameters
    ----------
    detection_callback, service_uuids, scanning_mode
        As bleak gives them; everything else is for other systems.
    """

    adapter: BumbleAdapter  # bound by BumbleAdapter.backends

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"],
        **_others: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._known: dict[str, _Known] = {}

    async def start(self) -> None:
        """Start scanning."""
        self.seen_devices = {}
        self._known.clear()
        await self.adapter.add_scanner(self, active=self._active)

    async def stop(self) -> None:
        """Stop scanning."""
        await self.adapter.remove_scanner(self)

    def heard(self, advertisement: Advertisement) -> None:
        """Take one advertisement."""
        address = address_text(advertisement.address)
        known = self._known.setdefault(address, _Known())
        for kind, data in advertisement.data.ad_structures:
            known.learn(kind, bytes(data))
        if not self.is_allowed_uuid(known.service_uuids):
            return
        report = AdvertisementData(
            local_name=known.name,
            manufacturer_data=dict(known.manufacturer_data),
            service_data=dict(known.service_data),
            service_uuids=list(known.service_uuids),
            tx_power=known.tx_power,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )
        # No "path" among the details: bleak-retry-connector would take the device for one of BlueZ.
        details = {
            "address": advertisement.address,
            "props": {"Bonded": self.adapter.bonds.holds(address)},  # as BlueZ tells it
        }
        device = self.create_or_update_device(address, address, known.name, details, report)
        self.call_detection_callbacks(device, report)
