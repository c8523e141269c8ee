"""A link to a sensor that hides nothing of it: every byte, every ATT error, every property.

For examining sensors. Nothing of bleak's leaves this file, its errors least of all.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bleak import BleakClient
from bleak.exc import BleakCharacteristicNotFoundError, BleakError, BleakGATTProtocolError
from bleak_retry_connector import establish_connection

from sensor_bridge.errors import LinkLost

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from bleak.backends.characteristic import BleakGATTCharacteristic

    from sensor_bridge.ble.adapter import Adapter, Found

_CONNECT_ATTEMPTS: Final = 2
_REQUEST_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 5.0
_PAIRING_TIMEOUT_S: Final = 30.0  # Core 5.4, Vol 3, Part H, 3.4
_WRITE_OVERHEAD: Final = 3  # ATT opcode and handle


class AttRefusal(Exception):  # noqa: N818 - an answer of the sensor, not an error of ours
    """The sensor, or the Bluetooth of this system, refused a request.

    Parameters
    ----------
    reason
        For a person.
    code
        ATT error code; None where this system does not tell it.
    """

    def __init__(self, reason: str, code: int | None) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Heard:
    """One notification or indication.

    Parameters
    ----------
    order
        Position among all that came on this link, over all characteristics.
    arrival_s
        When it came, on the event loop's clock.
    value
        The bytes.
    """

    order: int
    arrival_s: float
    value: bytes


@dataclass(frozen=True, slots=True)
class Discovered:
    """One characteristic as it was discovered.

    Parameters
    ----------
    service_uuid, uuid
        128-bit, lower case.
    properties
        In the words of `firmware_protocol.gatt.Property`.
    """

    service_uuid: str
    uuid: str
    properties: frozenset[str]


class BareLink:
    """A live link; `bare_link` makes one.

    Parameters
    ----------
    address
        Of the sensor, for messages.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: BleakClient | None = None
        self._heard: dict[str, list[Heard]] = {}
        self._orders = itertools.count()
        self._news = asyncio.Event()
        self._is_over = False

    @property
    def characteristics(self) -> tuple[Discovered, ...]:
        """Everything that was discovered."""
        return tuple(
            Discovered(service.uuid.lower(), each.uuid.lower(), frozenset(each.properties))
            for service in self._connected().services
            for each in service.characteristics
        )

    @property
    def services(self) -> frozenset[str]:
        """UUIDs of the services that were discovered."""
        return frozenset(service.uuid.lower() for service in self._connected().services)

    def mtu(self, uuid: str) -> int:
        """ATT MTU as this system tells it at a characteristic; 23 also where it does not know."""
        found = self._connected().services.get_characteristic(uuid)
        return 23 if found is None else found.max_write_without_response_size + _WRITE_OVERHEAD

    async def read(self, uuid: str) -> bytes:
        """Read a characteristic.

        Raises
        ------
        AttRefusal
            It is not there, or must not be read.
        LinkLost
            The sensor does not answer.
        """
        client = self._connected()
        with self._errors():
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                return bytes(await client.read_gatt_char(uuid))

    async def write(self, uuid: str, value: bytes, *, response: bool) -> None:
        """Write a characteristic; raises as `read` does."""
        client = self._connected()
        with self._errors():
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                await client.write_gatt_char(uuid, value, response=response)

    async def subscribe(self, uuid: str) -> None:
        """Have notifications or indications sent; raises as `read` does."""
        heard = self._heard.setdefault(uuid, [])

        def hear(_characteristic: BleakGATTCharacteristic, value: bytearray) -> None:
            heard.append(Heard(next(self._orders), self.now_s(), bytes(value)))
            self._news.set()

        client = self._connected()
        with self._errors():
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                await client.start_notify(uuid, hear)

    @staticmethod
    def now_s() -> float:
        """Read the clock that stamps arrivals."""
        return asyncio.get_running_loop().time()

    def heard(self, uuid: str) -> list[Heard]:
        """List what a characteristic has sent on this link so far, in order."""
        return self._heard.get(uuid, [])

    def heard_since(self, uuid: str, order: int) -> list[Heard]:
        """List what a characteristic has sent after the value of this order, whichever that was of."""
        return [each for each in self.heard(uuid) if each.order > order]

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until what was heard fulfils a condition; False where it did not in time.

        Raises
        ------
        LinkLost
            The link ended meanwhile.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not condition():
                    self._connected()
                    self._news.clear()
                    await self._news.wait()
        return condition()

    async def more(self, uuid: str, n_values: int, timeout_s: float) -> bool:
        """Wait until a characteristic has sent so many values on this link; False: not in time."""
        heard = self.heard(uuid)
        return await self.until(lambda: len(heard) >= n_values, timeout_s)

    async def open(self, adapter: Adapter, found: Found, *, encrypted: bool) -> None:
        """Connect and discover everything; encrypt the link where this computer is paired with the sensor."""
        options: dict[str, Any] = {}
        if adapter.client_backend is not None:
            options["backend"] = adapter.client_backend
        with self._errors():
            self._client = await establish_connection(
                BleakClient,
                found.device,
                self.address,
                disconnected_callback=lambda _client: self._end(),
                max_attempts=_CONNECT_ATTEMPTS,
                **options,
            )
            if encrypted and adapter.is_paired(found):
                await self._encrypt(self._client)

    async def close(self) -> None:
        """End the link; safe to call again, and after it was lost."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(BleakError, TimeoutError, OSError, EOFError):
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await client.disconnect()
        self._end()

    async def _encrypt(self, client: BleakClient) -> None:
        try:
            async with asyncio.timeout(_PAIRING_TIMEOUT_S):
                with contextlib.suppress(NotImplementedError):  # macOS does it at the first protected write
                    await client.pair()
        except BleakError as error:
            raise LinkLost(
                f"{self.address}: the link cannot be encrypted ({error}); pair again: "
                f"hipline sensors pair {self.address}"
            ) from error

    def _end(self) -> None:
        self._is_over = True
        self._news.set()

    def _connected(self) -> BleakClient:
        if self._client is None or self._is_over:
            raise LinkLost(f"{self.address}: the link was lost")
        return self._client

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except LinkLost:
            raise
        except BleakGATTProtocolError as error:
            raise AttRefusal(str(error), int(error.code)) from error
        except BleakCharacteristicNotFoundError as error:
            raise AttRefusal(f"there is no characteristic {error.char_specifier}", None) from error
        except TimeoutError as error:
            raise LinkLost(f"{self.address}: the sensor does not answer") from error
        except (BleakError, OSError, EOFError) as error:
            if self._client is not None and not self._is_over:
                raise AttRefusal(str(error) or type(error).__name__, None) from error
            raise LinkLost(f"{self.address}: {str(error) or type(error).__name__}") from error


@contextlib.asynccontextmanager
async def bare_link(
    adapter: Adapter, found: Found, *, timeout_s: float, encrypted: bool = True
) -> AsyncGenerator[BareLink]:
    """Connect to a sensor that was found; the link ends with the block.

    Parameters
    ----------
    adapter
        The radio.
    found
        The sensor.
    timeout_s
        How long connecting may take.
    encrypted
        Whether the link is encrypted where this computer is paired with the sensor.

    Raises
    ------
    LinkLost
        No connection came about in time.
    """
    link = BareLink(found.sighting.address)
    try:
        try:
            async with asyncio.timeout(timeout_s):
                await link.open(adapter, found, encrypted=encrypted)
        except TimeoutError:
            raise LinkLost(f"{link.address}: no connection within {timeout_s:g} s") from None
        yield link
    finally:
        await asyncio.shield(link.close())
