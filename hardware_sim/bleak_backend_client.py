"""bleak's client on bumble."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble import att, core, hci
from bumble.core import UUID
from bumble.device import Connection, Peer

from hardware_sim.bleak_backend_scanner import BumbleScanner, uuid_text

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from bleak.args import SizedBuffer
    from bleak.assigned_numbers import CharacteristicPropertyName
    from bumble.gatt_client import CharacteristicProxy

    from hardware_sim.bleak_backend import BumbleAdapter

_T = TypeVar("_T")

_PREFERRED_MTU: Final = 247
_DISCONNECT_TIMEOUT_S: Final = 5.0
_PROPERTY_BITS: Final[tuple[tuple[int, CharacteristicPropertyName], ...]] = (
    (0x01, "broadcast"),
    (0x02, "read"),
    (0x04, "write-without-response"),
    (0x08, "write"),
    (0x10, "notify"),
    (0x20, "indicate"),
    (0x40, "authenticated-signed-writes"),
    (0x80, "extended-properties"),
)


@contextlib.contextmanager
def _bleak_errors() -> Generator[None]:
    """Say in bleak's words what bumble raises."""
    try:
        yield
    except att.ATT_Error as error:
        raise BleakGATTProtocolError(error.error_code) from error
    except core.TimeoutError as error:
        raise TimeoutError(str(error)) from error
    except (core.BaseBumbleError, asyncio.InvalidStateError) as error:
        raise BleakError(str(error) or type(error).__name__) from error


class BumbleClient(BaseBleakClient):
    """Client of one adapter.

    Parameters
    ----------
    address_or_ble_device, disconnected_callback, timeout
        As bleak gives them.
    services
        UUIDs of the services to discover; None for all.
    """

    adapter: BumbleAdapter  # bound by BumbleAdapter.backends

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        services: set[str] | None = None,
        **_others: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._device = address_or_ble_device if isinstance(address_or_ble_device, BLEDevice) else None
        self._wanted_services = services
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._requests: set[asyncio.Task[Any]] = set()
        self._subscriptions: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        """Name of the sensor, else its address."""
        return (self._device and self._device.name) or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """ATT MTU in force."""
        return 23 if self._connection is None else self._connection.att_mtu

    @property
    def is_connected(self) -> bool:
        """True while the link stands."""
        return self._connection is not None

    # Connecting ------------------------------------------------------------------------------------------

    async def connect(self, pair: bool, *, timeout: float | None = None, **_others: Any) -> None:  # noqa: ASYNC109
        """Connect and discover the services."""
        if self._connection is not None:
            raise BleakError("already connected")
        try:
            async with asyncio.timeout(timeout or self._timeout):
                with _bleak_errors():
                    peer = await self._address()
                    connection = await self.adapter.connect(peer)
                    connection.on(Connection.EVENT_DISCONNECTION, self._disconnected)
                    self._connection, self._peer = connection, Peer(connection)
                await self._request(self._peer.request_mtu(_PREFERRED_MTU))
                self.services = await self._request(self._discover(self._peer))
                if pair:
                    await self.pair()
        except BaseException:
            await self._give_up()
            raise

    async def _address(self) -> hci.Address:
        if self._device is not None:
            address: hci.Address = self._device.details["address"]
            return address
        if known := self.adapter.known.get(self.address.upper()):
            return known
        heard = asyncio.get_running_loop().create_future()

        def look(device: BLEDevice, _data: object) -> None:
            if device.address == self.address.upper() and not heard.done():
                heard.set_result(device.details["address"])

        scanner = BumbleScanner(look, None, "active")
        scanner.adapter = self.adapter
        await scanner.start()
        try:
            async with asyncio.timeout(0.9 * self._timeout):
                found: hci.Address = await heard
        except TimeoutError:
            raise BleakDeviceNotFoundError(self.address, f"device {self.address} was not found") from None
        finally:
            await scanner.stop()
        return found

    async def _give_up(self) -> None:
        callback, self._disconnected_callback = self._disconnected_callback, None
        with contextlib.suppress(BleakError, TimeoutError):
            await self.disconnect()
        self._disconnected_callback = callback

    async def _discover(self, peer: Peer) -> BleakGATTServiceCollection:
        await peer.discover_services([UUID(uuid) for uuid in self._wanted_services or ()])
        collection = BleakGATTServiceCollection()
        for found in peer.services:
            await found.discover_characteristics()
            service = BleakGATTService(found, found.handle, uuid_text(found.uuid))
            collection.add_service(service)
            for each in found.characteristics:
                await each.discover_descriptors()
                names = [name for bit, name in _PROPERTY_BITS if int(each.properties) & bit]
                characteristic = BleakGATTCharacteristic(
                    each, each.handle, uuid_text(each.uuid), names, lambda: self.mtu_size - 3, service
                )
                collection.add_characteristic(characteristic)
                for descriptor in each.descriptors:
                    collection.add_descriptor(
                        BleakGATTDescriptor(
                            descriptor, descriptor.handle, uuid_text(descriptor.type), characteristic
                        )
                    )
        return collection

    def _disconnected(self, _reason: int) -> None:
        if self._connection is None:
            return
        self._connection = self._peer = self.services = None
        self._subscriptions.clear()
        self._cancel_requests()
        if self._disconnected_callback is not None:
            asyncio.get_running_loop().call_soon(self._disconnected_callback)

    def _cancel_requests(self) -> None:
        """End all that waits for the link; again where a response came in that moment and hid it."""
        for request in self._requests:
            request.cancel()
        if self._requests:
            asyncio.get_running_loop().call_soon(self._cancel_requests)

    async def disconnect(self) -> None:
        """End the link; nothing to do where there is none."""
        connection = self._connection
        if connection is None:
            return
        try:
            async with asyncio.timeout(_DISCONNECT_TIMEOUT_S):
                with _bleak_errors():
                    await connection.disconnect()
        finally:
            self._disconnected(hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR)

    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        """Encrypt the link, with the bond there is, else by pairing."""
        connection = self._connection
        if connection is None:
            raise BleakError("not connected")
        if connection.is_encrypted:
            return
        is_known = self.adapter.bonds.holds(self.address)
        await self._request(connection.encrypt() if is_known else connection.pair())

    async def unpair(self) -> None:
        """End the link and forget the bond; none is fine."""
        await self.disconnect()
        await self.adapter.bonds.forget(self.address)

    # Requests --------------------------------------------------------------------------------------------

    async def _request(self, request: Coroutine[Any, Any, _T]) -> _T:
        """Run one GATT procedure; a link that goes away ends it at once, as a BleakError.

        bumble cancels what waits for a lost link, which would look like the cancelling of the caller. A
        caller that is cancelled leaves the procedure to its end: ATT has no way to take a request back.
        """
        task = asyncio.ensure_future(request)
        self._requests.add(task)
        task.add_done_callback(self._forget)
        try:
            with _bleak_errors():
                return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled() and self._connection is None:
                raise BleakError("disconnected") from None
            raise

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._requests.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has seen it

    def _connected_peer(self) -> Peer:
        if self._peer is None:
            raise BleakError("not connected")
        return self._peer

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_kwargs: Any
    ) -> bytearray:
        """Read a characteristic; the cache is not used."""
        del use_cached
        client = self._connected_peer().gatt_client
        return bytearray(await self._request(client.read_value(characteristic.handle)))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_kwargs: Any
    ) -> bytearray:
        """Read a descriptor; the cache is not used."""
        del use_cached
        client = self._connected_peer().gatt_client
        return bytearray(await self._request(client.read_value(descriptor.handle)))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        """Write a characteristic."""
        client = self._connected_peer().gatt_client
        await self._request(client.write_value(characteristic.handle, bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor."""
        client = self._connected_peer().gatt_client
        await self._request(client.write_value(descriptor.handle, bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_kwargs: Any
    ) -> None:
        """Subscribe to notifications or indications."""
        self._connected_peer()
        if characteristic.handle in self._subscriptions:
            raise BleakError("notifications are on already")
        address, uuid, pass_on = self.address.upper(), characteristic.uuid, self.adapter.pass_on
        is_notified = "notify" in characteristic.properties

        def deliver(value: bytes) -> None:
            for each in pass_on(address, uuid, value) if is_notified else (value,):
                callback(bytearray(each))

        proxy: CharacteristicProxy[bytes] = characteristic.obj
        self._subscriptions[characteristic.handle] = deliver
        try:
            await self._request(proxy.subscribe(deliver, prefer_notify=True))
        except BaseException:
            self._subscriptions.pop(characteristic.handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """End a subscription."""
        client = self._connected_peer().gatt_client
        deliver = self._subscriptions.pop(characteristic.handle, None)
        if deliver is not None:
            await self._request(client.unsubscribe(characteristic.obj, deliver))
