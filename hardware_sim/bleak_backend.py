"""The real bleak on a bumble host: one adapter, shared by its scanners and clients.

bleak takes a backend as a class, so each adapter makes its own pair of subclasses.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, Self

from bumble import hci
from bumble.core import BaseBumbleError
from bumble.device import (
    Advertisement,
    Connection,
    ConnectionParametersPreferences,
    Device,
    DeviceConfiguration,
)
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from hardware_sim.bleak_backend_client import BumbleClient
from hardware_sim.bleak_backend_scanner import BumbleScanner, address_text
from hardware_sim.bonds import pairing

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner

    from hardware_sim.bonds import BondStore
    from hardware_sim.controller import RadioController

ADAPTER_ADDRESS: Final = "F0:48:49:50:4C:49"
_WITHDRAW_TIMEOUT_S: Final = 2.0


class BumbleAdapter:
    """A Bluetooth adapter as bleak sees one.

    Parameters
    ----------
    device
        A bumble device that is switched on.
    bonds
        Its keys.
    connection_interval_ms
        Interval asked for.
    """

    def __init__(self, device: Device, bonds: BondStore, *, connection_interval_ms: float = 15.0) -> None:
        self.device = device
        self.bonds = bonds
        self.known: dict[str, hci.Address] = {}
        self.pass_on: Callable[[str, str, bytes], list[bytes]] = lambda _address, _uuid, value: [value]
        self._connection_interval_ms = connection_interval_ms
        self._scanners: set[BumbleScanner] = set()
        self._scan_lock = asyncio.Lock()
        self._connect_lock = asyncio.Lock()  # bumble has room for one pending connection
        device.on(Device.EVENT_ADVERTISEMENT, self._heard)

    @classmethod
    async def on_controller(cls, controller: RadioController, bonds: BondStore) -> Self:
        """Switch on an adapter with this radio chip."""
        return await cls.on_host(Host(controller, AsyncPipeSink(controller)), bonds)

    @classmethod
    async def on_host(cls, host: Host, bonds: BondStore) -> Self:
        """Switch on an adapter whose radio chip is behind this HCI."""
        configuration = DeviceConfiguration(
            name="bridge", address=hci.Address(ADAPTER_ADDRESS), le_enabled=True, keystore=None
        )
        device = Device(config=configuration, host=host)
        device.keystore = bonds
        device.pairing_config_factory = pairing(is_accepted=True)
        await device.power_on()
        return cls(device, bonds)

    async def close(self) -> None:
        """End all connections and stop scanning."""
        with contextlib.suppress(BaseBumbleError, TimeoutError):
            async with asyncio.timeout(_WITHDRAW_TIMEOUT_S):
                if self.device.is_scanning:
                    await self.device.stop_scanning()
                for connection in list(self.device.connections.values()):
                    await connection.disconnect()
        self._scanners.clear()

    def backends(self) -> tuple[type[BaseBleakClient], type[BaseBleakScanner]]:
        """Client and scanner classes bound to this adapter, for bleak's ``backend=``."""
        bound: dict[str, Any] = {"adapter": self}
        return type("BumbleClient", (BumbleClient,), bound), type("BumbleScanner", (BumbleScanner,), bound)

    # Scanning --------------------------------------------------------------------------------------------

    async def add_scanner(self, scanner: BumbleScanner, *, active: bool) -> None:
        """Report advertisements to a scanner; the radio listens while anybody wants it."""
        async with self._scan_lock:
            self._scanners.add(scanner)
            if not self.device.is_scanning:
                await _to_the_end(self.device.start_scanning(active=active, filter_duplicates=False))

    async def remove_scanner(self, scanner: BumbleScanner) -> None:
        """Report no more."""
        async with self._scan_lock:
            self._scanners.discard(scanner)
            if not self._scanners and self.device.is_scanning:
                await _to_the_end(self.device.stop_scanning())

    def _heard(self, advertisement: Advertisement) -> None:
        self.known[address_text(advertisement.address)] = advertisement.address
        for scanner in tuple(self._scanners):
            scanner.heard(advertisement)

    # Connecting ------------------------------------------------------------------------------------------

    async def connect(self, peer: hci.Address) -> Connection:
        """Connect; cancelling withdraws the attempt, so that the adapter can be used again."""
        preferences = ConnectionParametersPreferences(
            connection_interval_min=self._connection_interval_ms,
            connection_interval_max=self._connection_interval_ms,
        )
        async with self._connect_lock:
            # bumble's own coroutine is never cancelled: that would leave the controller initiating for ever.
            attempt = asyncio.ensure_future(
                self.device.connect_le(peer, {hci.Phy.LE_1M: preferences}, timeout=None)
            )
            try:
                return await asyncio.shield(attempt)
            except asyncio.CancelledError:
                await _to_the_end(self._withdraw(attempt))
                raise

    async def _withdraw(self, attempt: asyncio.Future[Connection]) -> None:
        with contextlib.suppress(BaseBumbleError, TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(_WITHDRAW_TIMEOUT_S):
                with contextlib.suppress(hci.HCI_Error):  # disallowed: it had been made in that moment
                    await self.device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
                connection = await attempt
                await connection.disconnect()


async def _to_the_end(procedure: Coroutine[Any, Any, None]) -> None:
    """Run an HCI procedure that must not be cut short: the controller would be left in the middle of it.

    Who is cancelled meanwhile is told so afterwards. HCI procedures have time limits of their own.
    """
    task = asyncio.ensure_future(procedure)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()
