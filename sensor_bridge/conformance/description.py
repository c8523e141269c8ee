"""Clauses about what a sensor says of itself: services, INFO, battery, device information."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware_protocol import gatt
from firmware_protocol.codec import decode_info
from firmware_protocol.errors import ProtocolError
from sensor_bridge.ble.bare_link import AttRefusal
from sensor_bridge.conformance.observation import observed
from sensor_bridge.conformance.verdict import Violation, require

if TYPE_CHECKING:
    from sensor_bridge.conformance.bench import Bench

_TEXTS: Final = {
    "Manufacturer Name": gatt.MANUFACTURER_NAME_UUID,
    "Model Number": gatt.MODEL_NUMBER_UUID,
    "Serial Number": gatt.SERIAL_NUMBER_UUID,
    "Firmware Revision": gatt.FIRMWARE_REVISION_UUID,
}
_KNOWN: Final = frozenset(str(each) for each in gatt.Property)


async def services(bench: Bench) -> None:
    """gatt-services."""
    wanted = {each.service_uuid for each in gatt.CHARACTERISTICS if not each.is_optional}
    missing = [
        each.name for each in gatt.SERVICES if each.uuid in wanted and each.uuid not in bench.link.services
    ]
    require(not missing, f"there is no {', '.join(missing)} service")


async def characteristics(bench: Bench) -> None:
    """gatt-characteristics."""
    there = {(each.service_uuid, each.uuid) for each in bench.link.characteristics}
    missing = [
        each.name
        for each in gatt.CHARACTERISTICS
        if (each.service_uuid, each.uuid) not in there and not each.is_optional
    ]
    require(not missing, f"there is no {', '.join(missing)}")


async def properties(bench: Bench) -> None:
    """gatt-properties."""
    found = {each.uuid: each.properties & _KNOWN for each in bench.link.characteristics}
    for each in gatt.CHARACTERISTICS:
        if each.is_optional and each.uuid not in found:
            continue
        has = found.get(each.uuid, frozenset())
        require(
            has == frozenset(map(str, each.properties)),
            f"{each.name} has {', '.join(sorted(has)) or 'none'} where {', '.join(each.properties)} belong",
        )


async def device_texts(bench: Bench) -> None:
    """device-texts."""
    for name, uuid in _TEXTS.items():
        require(bool((await _text(bench, name, uuid)).strip()), f"{name} is empty")


async def device_serial(bench: Bench) -> None:
    """device-serial."""
    said, serial = await _text(bench, "Serial Number", gatt.SERIAL_NUMBER_UUID), (await bench.info()).serial
    require(said == serial, f"Serial Number is {said!r}, INFO says {serial!r}")


async def device_firmware(bench: Bench) -> None:
    """device-firmware."""
    said = await _text(bench, "Firmware Revision", gatt.FIRMWARE_REVISION_UUID)
    version = ".".join(map(str, (await bench.info()).firmware_version))
    require(said == version, f"Firmware Revision is {said!r}, INFO says {version!r}")


async def battery_level(bench: Bench) -> None:
    """battery-level."""
    value = await _value(bench, "Battery Level", gatt.BATTERY_LEVEL_UUID)
    require(len(value) == 1 and value[0] <= 100, f"Battery Level is {value.hex(' ') or 'empty'}")
    percent = (await bench.status()).battery_percent
    require(abs(value[0] - percent) <= 1, f"Battery Level is {value[0]} %, STATUS says {percent} %")


async def info_layout(bench: Bench) -> None:
    """info-layout."""
    try:
        decode_info(await _value(bench, "INFO", gatt.INFO_UUID))
    except ProtocolError as error:
        raise Violation(f"INFO: {error}") from error


async def info_constant(bench: Bench) -> None:
    """info-constant."""
    values = (await observed(bench)).info_values
    for value in values[1:]:
        require(value == values[0], f"INFO was {values[0].hex(' ')} and later {value.hex(' ')}")


async def _value(bench: Bench, name: str, uuid: str) -> bytes:
    try:
        return await bench.link.read(uuid)
    except AttRefusal as error:
        raise Violation(f"{name} cannot be read: {error}") from error


async def _text(bench: Bench, name: str, uuid: str) -> str:
    value = await _value(bench, name, uuid)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Violation(f"{name} is not UTF-8: {value.hex(' ')}") from None


CHECKS: Final = {
    "gatt-services": services,
    "gatt-characteristics": characteristics,
    "gatt-properties": properties,
    "device-texts": device_texts,
    "device-serial": device_serial,
    "device-firmware": device_firmware,
    "battery-level": battery_level,
    "info-layout": info_layout,
    "info-constant": info_constant,
}
