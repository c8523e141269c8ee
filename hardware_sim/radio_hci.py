"""The virtual radio for another process: the sensors live here, the host reaches its radio chip over TCP.

So the host can be killed in mid-set, as a power cut would, while the sensors live on.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from bumble.core import BaseBumbleError
from bumble.host import Host
from bumble.transport.common import StreamPacketSource
from bumble.transport.tcp_client import open_tcp_client_transport

from hardware_sim.bleak_backend import BumbleAdapter
from hardware_sim.bonds import BondStore
from hardware_sim.errors import HardwareSimError
from hardware_sim.radio import VirtualRadio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner

    from hardware_sim.controller import RadioController
    from hardware_sim.recording_source import SampleSource

_LOCALHOST: Final = "127.0.0.1"
_ANSWER_TIMEOUT_S: Final = 5.0


class _HostLine(StreamPacketSource):
    """One TCP connection of a host; when it ends, the radio chip forgets that host."""

    def __init__(self, controller: RadioController) -> None:
        super().__init__()
        self._controller = controller
        self._transport: asyncio.WriteTransport | None = None
        self.set_packet_sink(controller)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the line; a second host has to wait for its own radio chip."""
        assert isinstance(transport, asyncio.WriteTransport)
        if self._controller.host is not None:
            transport.abort()
            return
        self._transport = transport
        self._controller.host = self

    def on_packet(self, packet: bytes) -> None:
        """Send one HCI packet to the host."""
        if self._transport is not None:
            self._transport.write(packet)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the host: what it was connected to notices that nobody is there."""
        del exc
        if self._controller.host is self:
            self._controller.host = None
            self._controller.forget_host()


@contextlib.asynccontextmanager
async def serve_hci(
    sources: Sequence[SampleSource], port: int, **radio_options: Any
) -> AsyncGenerator[tuple[VirtualRadio, int]]:
    """Put sensors on the air and offer a radio chip to one host at a time over TCP.

    Parameters
    ----------
    sources
        What the sensors play.
    port
        TCP port on this machine; 0 takes a free one.
    **radio_options
        For `VirtualRadio`.

    Yields
    ------
    tuple[VirtualRadio, int]
        The radio, and the port.
    """
    async with VirtualRadio(sources, has_adapter=False, **radio_options) as radio:
        controller = radio.new_controller("adapter over TCP")
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: _HostLine(controller), _LOCALHOST, port
            )
        except OSError as error:
            raise HardwareSimError(
                f"port {port} cannot be opened: {error.strerror}; choose another"
            ) from error
        async with server:
            yield radio, server.sockets[0].getsockname()[1]


class AttachedRadio:
    """A radio that lives in another process.

    Parameters
    ----------
    adapter
        The Bluetooth adapter over there.
    """

    def __init__(self, adapter: BumbleAdapter) -> None:
        self._adapter = adapter

    def bleak_backends(self) -> tuple[type[BaseBleakClient], type[BaseBleakScanner]]:
        """Backends for ``BleakClient(..., backend=)`` and ``BleakScanner(..., backend=)``."""
        return self._adapter.backends()


@contextlib.asynccontextmanager
async def attach_hci(port: int, bonds_path: Path | None = None) -> AsyncGenerator[AttachedRadio]:
    """Use the radio chip that `serve_hci` offers on this port.

    Parameters
    ----------
    port
        TCP port on this machine.
    bonds_path
        Where this host keeps its bonds; None: they end with it.

    Yields
    ------
    AttachedRadio
        Where the bleak backends come from.

    Raises
    ------
    HardwareSimError
        Nobody offers a radio there, or another host is using it.
    """
    try:
        transport = await open_tcp_client_transport(f"{_LOCALHOST}:{port}")
    except OSError as error:
        raise HardwareSimError(f"no virtual radio at port {port}: start it first") from error
    try:
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                adapter = await BumbleAdapter.on_host(
                    Host(transport.source, transport.sink), BondStore(bonds_path)
                )
        except (BaseBumbleError, TimeoutError) as error:
            raise HardwareSimError(
                f"the virtual radio at port {port} does not answer: is another bridge using it?"
            ) from error
        try:
            yield AttachedRadio(adapter)
        finally:
            await adapter.close()
    finally:
        await transport.close()
