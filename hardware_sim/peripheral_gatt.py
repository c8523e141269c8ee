"""The radio half of a virtual sensor: advertising, the GATT table of the protocol, notifications."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from bumble import att, gatt, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from hardware_sim.bonds import BondStore, pairing
from hardware_sim.gatt_table import HIPLINE_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bumble.host import DataPacketQueue

    from firmware_protocol import gatt as protocol
    from hardware_sim.controller import RadioController
    from hardware_sim.gatt_table import GattTable

_CONTROLLER_BUFFERS: Final = 8  # packets handed to the radio chip at a time; the rest waits in the firmware
_ADVERTISING_INTERVAL_MS: Final = 100
_NAME_BYTES: Final = 29  # what a scan response has room for
_NOTIFY, _INDICATE = 0x01, 0x02

INVALID_ATTRIBUTE_LENGTH: Final = int(att.ErrorCode.INVALID_ATTRIBUTE_LENGTH)
CCCD_IMPROPERLY_CONFIGURED: Final = int(att.ErrorCode.CCCD_IMPROPERLY_CONFIGURED)
PROCEDURE_ALREADY_IN_PROGRESS: Final = int(att.ErrorCode.PROCEDURE_ALREADY_IN_PROGRESS)


class GattRefusal(Exception):  # noqa: N818 - not an error of ours: the answer to a peer's request
    """A request that is answered with an ATT error.

    Parameters
    ----------
    code
        The ATT error code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"ATT error 0x{code:02X}")
        self.code = code


class GattServer:
    """A GATT server for one host at a time.

    bumble does not look at the properties of a characteristic: what the table does not allow is refused here.

    Parameters
    ----------
    controller
        The radio chip.
    name, address
        What is advertised.
    reads, writes
        What to do for the characteristics that can be read or written, by UUID; `GattRefusal` refuses. An
        optional characteristic that is in neither does not exist.
    protected
        Characteristics whose writes need an encrypted link; with none the sensor does not pair.
    on_connected, on_disconnected, on_room
        Called when a host came, went, and when the radio has room again.
    on_subscribed
        Called when the host has changed a subscription.
    table
        What the host sees.
    """

    def __init__(
        self,
        controller: RadioController,
        *,
        name: str,
        address: str,
        reads: Mapping[str, Callable[[], bytes]],
        writes: Mapping[str, Callable[[bytes], None]],
        on_connected: Callable[[], None],
        on_disconnected: Callable[[], None],
        on_room: Callable[[], None],
        on_subscribed: Callable[[], None] | None = None,
        table: GattTable = HIPLINE_TABLE,
        protected: Collection[str] = (),
    ) -> None:
        self._table = table
        self._controller = controller
        self._name = name
        self._on_connected = on_connected
        self._on_disconnected = on_disconnected
        self._on_room = on_room
        self._connection: Connection | None = None
        self._queue: DataPacketQueue | None = None
        self._indication: asyncio.Task[None] | None = None
        self._device = Device(
            config=DeviceConfiguration(name=name, address=hci.Address(address), le_enabled=True),
            host=Host(controller, AsyncPipeSink(controller)),
        )
        self.bonds = BondStore()
        self._device.keystore = self.bonds
        self._device.pairing_config_factory = pairing(is_accepted=bool(protected))
        self._device.on(Device.EVENT_CONNECTION, self._connected)
        permissions = gatt.Characteristic.Permissions.READABLE | gatt.Characteristic.Permissions.WRITEABLE
        self._characteristics = {
            each.uuid: gatt.Characteristic[bytes](
                each.uuid,
                _properties(each),
                permissions,
                gatt.CharacteristicValue(
                    read=_reader(reads.get(each.uuid)),
                    write=_writer(
                        writes.get(each.uuid), self._require_encryption if each.uuid in protected else None
                    ),
                ),
            )
            for each in table.characteristics
            if not each.is_optional or each.uuid in {*reads, *writes}
        }
        if on_subscribed is not None:
            for each in self._characteristics.values():
                each.on(gatt.Characteristic.EVENT_SUBSCRIPTION, lambda *_: on_subscribed())
        for service in table.services:
            of_service = [
                each.uuid
                for each in table.characteristics
                if each.service_uuid == service.uuid and each.uuid in self._characteristics
            ]
            if of_service:
                self._device.add_service(
                    gatt.Service(service.uuid, [self._characteristics[uuid] for uuid in of_service])
                )

    # Life ------------------------------------------------------------------------------------------------

    async def power_on(self) -> None:
        """Boot and advertise; advertising goes on whenever nobody is connected."""
        await self._device.power_on()
        advertising = [(AdvertisingData.FLAGS, bytes([0x06]))]
        if self._table.advertised_service is not None:
            kind = AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS
            advertising.append((kind, UUID(self._table.advertised_service).to_bytes()))
        if self._table.manufacturer_data:
            kind = AdvertisingData.MANUFACTURER_SPECIFIC_DATA
            advertising.append((kind, self._table.manufacturer_data))
        response = [(AdvertisingData.COMPLETE_LOCAL_NAME, self._name.encode()[:_NAME_BYTES])]
        await self._device.start_advertising(
            auto_restart=True,
            advertising_data=bytes(AdvertisingData(advertising)),
            scan_response_data=bytes(AdvertisingData(response)),
            advertising_interval_min=_ADVERTISING_INTERVAL_MS,
            advertising_interval_max=_ADVERTISING_INTERVAL_MS,
        )

    def power_off(self) -> None:
        """Stop everything at once."""
        if self._connection is not None:
            self._disconnected(0)
        self._controller.host = None  # or the stack would begin to advertise again
        self._controller.forget_host()

    async def disconnect(self) -> None:
        """End the link from this side."""
        if self._connection is not None:
            await self._connection.disconnect(hci.HCI_REMOTE_USER_TERMINATED_CONNECTION_ERROR)

    # Link ------------------------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """True while a host is connected."""
        return self._connection is not None

    @property
    def mtu(self) -> int:
        """ATT MTU in force."""
        return 23 if self._connection is None else self._connection.att_mtu

    @property
    def connection_interval_ms(self) -> float:
        """Connection interval in force, ms; the shortest there is while nobody is connected."""
        return 7.5 if self._connection is None else self._connection.parameters.connection_interval

    @property
    def has_room(self) -> bool:
        """True where the radio chip takes another packet."""
        return self._queue is not None and self._queue.pending < _CONTROLLER_BUFFERS

    @property
    def is_flushed(self) -> bool:
        """True where everything handed to the radio chip has gone out."""
        return self._queue is None or self._queue.pending == 0

    def is_notified(self, uuid: str) -> bool:
        """Tell whether the host has subscribed to notifications."""
        return self._has_subscribed(uuid, _NOTIFY)

    def is_indicated(self, uuid: str) -> bool:
        """Tell whether the host has subscribed to indications."""
        return self._has_subscribed(uuid, _INDICATE)

    @property
    def is_indicating(self) -> bool:
        """True while the host has not confirmed the last indication."""
        if self._indication is None or self._indication.done() or self._connection is None:
            return False
        confirmation = self._device.gatt_server.pending_confirmations.get(self._connection)
        return confirmation is None or not confirmation.done()

    def send(self, uuid: str, value: bytes) -> None:
        """Notify or indicate, as the characteristic has it."""
        if gatt.Characteristic.Properties.INDICATE in self._characteristics[uuid].properties:
            self.indicate(uuid, value)
        else:
            self.notify(uuid, value)

    def notify(self, uuid: str, value: bytes) -> None:
        """Send a notification, where the host wants it."""
        if self._connection is not None and self.is_notified(uuid):
            notification = att.ATT_Handle_Value_Notification(
                attribute_handle=self._characteristics[uuid].handle, attribute_value=value
            )
            self._device.gatt_server.send_gatt_pdu(self._connection, bytes(notification))

    def indicate(self, uuid: str, value: bytes) -> None:
        """Send an indication; the host confirms it in its own time."""
        if self._connection is not None:
            self._indication = asyncio.get_running_loop().create_task(
                self._device.gatt_server.indicate_subscriber(
                    self._connection, self._characteristics[uuid], value
                )
            )

    def _require_encryption(self, connection: Connection) -> None:
        """Refuse on an open link; the code says whether there is a bond to encrypt it with (3-C, 10.3.1)."""
        if not connection.is_encrypted:
            peer = str(connection.peer_address.to_string(with_type_qualifier=False))
            raise att.ATT_Error(
                att.ErrorCode.INSUFFICIENT_ENCRYPTION
                if self.bonds.holds(peer)
                else att.ErrorCode.INSUFFICIENT_AUTHENTICATION
            )

    def _has_subscribed(self, uuid: str, bit: int) -> bool:
        if self._connection is None:
            return False
        value = self._device.gatt_server.read_cccd(self._connection, self._characteristics[uuid])
        return bool(value[0] & bit)

    def _connected(self, connection: Connection) -> None:
        self._connection = connection
        self._queue = connection.data_packet_queue
        if self._queue is not None:
            self._queue.on("flow", self._on_room)
        connection.on(Connection.EVENT_DISCONNECTION, self._disconnected)
        self._on_connected()

    def _disconnected(self, _reason: int) -> None:
        if self._queue is not None:
            self._queue.remove_listener("flow", self._on_room)
        if self._indication is not None:
            self._indication.cancel()
        self._connection = self._queue = self._indication = None
        self._on_disconnected()


def _properties(characteristic: protocol.Characteristic) -> gatt.Characteristic.Properties:
    properties = gatt.Characteristic.Properties(0)
    for each in characteristic.properties:
        properties |= gatt.Characteristic.Properties[each.name]
    return properties


def _reader(read: Callable[[], bytes] | None) -> Callable[[Connection], bytes]:
    def answer(_connection: Connection) -> bytes:
        if read is None:
            raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)
        return read()

    return answer


def _writer(
    write: Callable[[bytes], None] | None, check: Callable[[Connection], None] | None
) -> Callable[[Connection, bytes], None]:
    def take(connection: Connection, value: bytes) -> None:
        if write is None:
            raise att.ATT_Error(att.ErrorCode.WRITE_NOT_PERMITTED)
        if check is not None:
            check(connection)
        try:
            write(value)
        except GattRefusal as refusal:
            raise att.ATT_Error(att.ErrorCode(refusal.code)) from None

    return take
