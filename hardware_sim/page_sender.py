"""Stored samples on their way to the host: what BULK notifies, when it is their turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from firmware_protocol.gatt import BULK_UUID
from firmware_protocol.packets import MIN_STREAMING_MTU

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware_sim.peripheral_bulk import BulkServer
    from hardware_sim.peripheral_gatt import GattServer


class PageSender:
    """Sends what a `BulkServer` has to say.

    Parameters
    ----------
    server
        Answers requests.
    gatt
        The radio half of the sensor.
    pump
        Called when it is time to go on: it sends what goes before pages, then calls `send`.
    """

    def __init__(self, server: BulkServer, gatt: GattServer, pump: Callable[[], None]) -> None:
        self._server = server
        self._gatt = gatt
        self._pump = pump
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def take(self, value: bytes) -> None:
        """Take a value written to BULK."""
        if self._gatt.is_notified(BULK_UUID) and self._gatt.mtu >= MIN_STREAMING_MTU:
            reply = self._server.request(value, self._loop.time(), self._gatt.mtu)
            if reply is not None:
                self._gatt.notify(BULK_UUID, reply)
            self._pump()

    def send(self, *, is_live: bool) -> None:
        """Send pages while the radio has room; beside a stream, come back when the next one may go."""
        self._cancel()
        now_s, interval_s = self._loop.time(), self._gatt.connection_interval_ms / 1e3
        while self._gatt.has_room:
            value = self._server.next_value(now_s, self._gatt.mtu, interval_s, is_live=is_live)
            if value is None:
                due_s = self._server.due_s(interval_s)
                if due_s is not None:
                    self._timer = self._loop.call_at(due_s, self._pump)
                return
            self._gatt.notify(BULK_UUID, value)

    def end_link(self) -> None:
        """Forget the fetch under way."""
        self._cancel()
        self._server.end_link()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
