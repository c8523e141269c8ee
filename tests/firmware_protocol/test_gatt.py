from __future__ import annotations

import re

import pytest

from firmware_protocol import gatt
from firmware_protocol.gatt import CHARACTERISTICS, SERVICES, Property

OWN_BASE = re.compile(r"f603[0-9a-f]{4}-813d-4b34-847c-dfb55a543c71")


@pytest.mark.parametrize(
    ("name", "uuid"),
    [
        ("SERVICE_UUID", "f6030001-813d-4b34-847c-dfb55a543c71"),
        ("INFO_UUID", "f6030002-813d-4b34-847c-dfb55a543c71"),
        ("CONTROL_UUID", "f6030003-813d-4b34-847c-dfb55a543c71"),
        ("DATA_UUID", "f6030004-813d-4b34-847c-dfb55a543c71"),
        ("STATUS_UUID", "f6030005-813d-4b34-847c-dfb55a543c71"),
        ("TIME_UUID", "f6030006-813d-4b34-847c-dfb55a543c71"),
        ("BULK_UUID", "f6030007-813d-4b34-847c-dfb55a543c71"),
        ("BATTERY_SERVICE_UUID", "0000180f-0000-1000-8000-00805f9b34fb"),
        ("BATTERY_LEVEL_UUID", "00002a19-0000-1000-8000-00805f9b34fb"),
        ("DEVICE_INFORMATION_SERVICE_UUID", "0000180a-0000-1000-8000-00805f9b34fb"),
        ("MANUFACTURER_NAME_UUID", "00002a29-0000-1000-8000-00805f9b34fb"),
        ("MODEL_NUMBER_UUID", "00002a24-0000-1000-8000-00805f9b34fb"),
        ("SERIAL_NUMBER_UUID", "00002a25-0000-1000-8000-00805f9b34fb"),
        ("FIRMWARE_REVISION_UUID", "00002a26-0000-1000-8000-00805f9b34fb"),
    ],
)
def test_uuids_never_change(name: str, uuid: str) -> None:
    assert getattr(gatt, name) == uuid


def test_every_uuid_stands_in_a_table_once() -> None:
    constants = sorted(value for name, value in vars(gatt).items() if name.endswith("_UUID"))
    in_tables = [service.uuid for service in SERVICES] + [each.uuid for each in CHARACTERISTICS]
    assert sorted(in_tables) == constants
    assert len(set(in_tables)) == len(in_tables)


def test_only_our_own_service_has_uuids_of_our_own() -> None:
    own = {each.name for each in CHARACTERISTICS if OWN_BASE.fullmatch(each.uuid)}
    assert own == {"INFO", "CONTROL", "DATA", "STATUS", "TIME", "BULK"}
    assert own == {each.name for each in CHARACTERISTICS if each.service_uuid == gatt.SERVICE_UUID}


def test_properties_are_what_each_exchange_needs() -> None:
    assert {each.name: set(each.properties) for each in CHARACTERISTICS} == {
        "INFO": {Property.READ},
        "CONTROL": {Property.WRITE, Property.INDICATE},
        "DATA": {Property.NOTIFY},
        "STATUS": {Property.READ, Property.NOTIFY},
        "TIME": {Property.WRITE_WITHOUT_RESPONSE, Property.NOTIFY},
        "BULK": {Property.WRITE_WITHOUT_RESPONSE, Property.NOTIFY},
        "Battery Level": {Property.READ, Property.NOTIFY},
        "Manufacturer Name": {Property.READ},
        "Model Number": {Property.READ},
        "Serial Number": {Property.READ},
        "Firmware Revision": {Property.READ},
        "SMP": {Property.WRITE_WITHOUT_RESPONSE, Property.NOTIFY},
    }


def test_only_bulk_and_update_may_be_missing() -> None:
    assert [each.name for each in CHARACTERISTICS if each.is_optional] == ["BULK", "SMP"]
