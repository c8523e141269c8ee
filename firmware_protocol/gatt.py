"""Services and characteristics of a Hipline sensor.

UUIDs are 128-bit, lower case, as Bluetooth stacks print them. The own ones share a random base
(``f603xxxx-813d-4b34-847c-dfb55a543c71``); the others are assigned by the Bluetooth SIG.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SERVICE_UUID: Final = "f6030001-813d-4b34-847c-dfb55a543c71"
INFO_UUID: Final = "f6030002-813d-4b34-847c-dfb55a543c71"
CONTROL_UUID: Final = "f6030003-813d-4b34-847c-dfb55a543c71"
DATA_UUID: Final = "f6030004-813d-4b34-847c-dfb55a543c71"
STATUS_UUID: Final = "f6030005-813d-4b34-847c-dfb55a543c71"
TIME_UUID: Final = "f6030006-813d-4b34-847c-dfb55a543c71"
BULK_UUID: Final = "f6030007-813d-4b34-847c-dfb55a543c71"

# MCUmgr's, as Zephyr's documentation gives them ("SMP over Bluetooth").
SMP_SERVICE_UUID: Final = "8d53dc1d-1db7-4cd3-868b-8a527460aa84"
SMP_UUID: Final = "da2e7828-fbce-4e01-ae9e-261174997c48"

BATTERY_SERVICE_UUID: Final = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_LEVEL_UUID: Final = "00002a19-0000-1000-8000-00805f9b34fb"
DEVICE_INFORMATION_SERVICE_UUID: Final = "0000180a-0000-1000-8000-00805f9b34fb"
MANUFACTURER_NAME_UUID: Final = "00002a29-0000-1000-8000-00805f9b34fb"
MODEL_NUMBER_UUID: Final = "00002a24-0000-1000-8000-00805f9b34fb"
SERIAL_NUMBER_UUID: Final = "00002a25-0000-1000-8000-00805f9b34fb"
FIRMWARE_REVISION_UUID: Final = "00002a26-0000-1000-8000-00805f9b34fb"


class Property(StrEnum):
    """What may be done with a characteristic (the words of the Bluetooth stacks)."""

    READ = "read"
    WRITE = "write"
    WRITE_WITHOUT_RESPONSE = "write-without-response"
    NOTIFY = "notify"
    INDICATE = "indicate"


@dataclass(frozen=True, slots=True)
class Service:
    """One GATT service.

    Parameters
    ----------
    name
        Its name in the documentation.
    uuid
        128-bit UUID.
    meaning
        What it is for.
    """

    name: str
    uuid: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One GATT characteristic.

    Parameters
    ----------
    name
        Its name in the documentation.
    uuid
        128-bit UUID.
    service_uuid
        The service it belongs to.
    properties
        What may be done with it.
    packet
        What its value is: names of packet classes, or the SIG's format.
    meaning
        What it is for, and who starts the exchange.
    is_optional
        True where its presence says that the sensor can do what it is for.
    """

    name: str
    uuid: str
    service_uuid: str
    properties: tuple[Property, ...]
    packet: str
    meaning: str
    is_optional: bool = False


SERVICES: Final = (
    Service("Hipline", SERVICE_UUID, "motion data and control"),
    Service("Battery", BATTERY_SERVICE_UUID, "SIG Battery Service"),
    Service("Device Information", DEVICE_INFORMATION_SERVICE_UUID, "SIG Device Information Service"),
    Service("SMP", SMP_SERVICE_UUID, "optional: firmware update with MCUmgr's Simple Management Protocol"),
)

CHARACTERISTICS: Final = (
    Characteristic(
        "INFO",
        INFO_UUID,
        SERVICE_UUID,
        (Property.READ,),
        "DeviceInfo",
        "what the sensor is and can do; the host reads it once after connecting",
    ),
    Characteristic(
        "CONTROL",
        CONTROL_UUID,
        SERVICE_UUID,
        (Property.WRITE, Property.INDICATE),
        "Start, Stop, Configure, Identify → CommandReply",
        "the host writes a command; the sensor indicates one reply to each",
    ),
    Characteristic(
        "DATA",
        DATA_UUID,
        SERVICE_UUID,
        (Property.NOTIFY,),
        "ImuFrame",
        "the sensor notifies samples while a stream runs",
    ),
    Characteristic(
        "STATUS",
        STATUS_UUID,
        SERVICE_UUID,
        (Property.READ, Property.NOTIFY),
        "StreamStatus",
        "the sensor notifies its condition once a second; the host may read it at any time",
    ),
    Characteristic(
        "TIME",
        TIME_UUID,
        SERVICE_UUID,
        (Property.WRITE_WITHOUT_RESPONSE, Property.NOTIFY),
        "TimeRequest → TimeReply",
        "the host writes a request; the sensor notifies one reply to each",
    ),
    Characteristic(
        "BULK",
        BULK_UUID,
        SERVICE_UUID,
        (Property.WRITE_WITHOUT_RESPONSE, Property.NOTIFY),
        "Fetch, Grant, Survey, Erase → BulkPage, BulkReply",
        "optional: the host asks for samples stored in flash; the sensor notifies pages and one reply",
        is_optional=True,
    ),
    Characteristic(
        "Battery Level",
        BATTERY_LEVEL_UUID,
        BATTERY_SERVICE_UUID,
        (Property.READ, Property.NOTIFY),
        "u8, percent",
        "charge left; the sensor notifies each change",
    ),
    Characteristic(
        "Manufacturer Name",
        MANUFACTURER_NAME_UUID,
        DEVICE_INFORMATION_SERVICE_UUID,
        (Property.READ,),
        "UTF-8",
        "who made the sensor",
    ),
    Characteristic(
        "Model Number",
        MODEL_NUMBER_UUID,
        DEVICE_INFORMATION_SERVICE_UUID,
        (Property.READ,),
        "UTF-8",
        "which model it is",
    ),
    Characteristic(
        "Serial Number",
        SERIAL_NUMBER_UUID,
        DEVICE_INFORMATION_SERVICE_UUID,
        (Property.READ,),
        "UTF-8",
        "the serial of INFO",
    ),
    Characteristic(
        "Firmware Revision",
        FIRMWARE_REVISION_UUID,
        DEVICE_INFORMATION_SERVICE_UUID,
        (Property.READ,),
        "UTF-8",
        "the firmware version of INFO, written major.minor.patch",
    ),
    Characteristic(
        "SMP",
        SMP_UUID,
        SMP_SERVICE_UUID,
        (Property.WRITE_WITHOUT_RESPONSE, Property.NOTIFY),
        "SMP messages, in as many pieces as the MTU asks for",
        "optional: the host writes a request; the sensor notifies one answer to each",
        is_optional=True,
    ),
)
