"""A virtual sensor of another vendor: its firmware on the virtual radio, playing a recording in real time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from hardware_sim.peripheral_gatt import GattServer
from hardware_sim.sensor_model import address_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware_sim.controller import RadioController
    from hardware_sim.peripheral_stream import PlayedSource
    from hardware_sim.vendor_firmware import Sent, VendorFirmware

_MOST_WAITING_S: Final = 1.0  # what such a sensor keeps for a radio that is busy; older samples are gone


class VendorPeripheral:
    """One sensor on the virtual radio; it remembers nothing while nobody listens.

    Parameters
    ----------
    played
        What it measures.
    controller
        Its radio chip.
    firmware
        How it speaks.
    name
        Advertised name; None for the firmware's own.
    on_progress
        Called when measuring began and when its last sample may have left.
    """

    def __init__(
        self,
        played: PlayedSource,
        controller: RadioController,
        firmware: VendorFirmware,
        *,
        name: str | None,
        on_progress: Callable[[], None],
    ) -> None:
        self.sensor_id = played.source.sensor_id
        self.address = address_of(self.sensor_id)
        self.name = name or firmware.name
        self.controller = controller
        self.firmware = firmware
        self._played = played
        self._on_progress = on_progress
        self._loop = asyncio.get_running_loop()
        self._cursor = 0
        self._was_measuring = False
        self._timer: asyncio.TimerHandle | None = None
        writable = {
            each.uuid
            for each in firmware.table.characteristics
            if any(each_property.value.startswith("write") for each_property in each.properties)
        }
        self._gatt = GattServer(
            controller,
            name=self.name,
            address=self.address,
            table=firmware.table,
            reads=firmware.reads(),
            writes={uuid: self._writer(uuid) for uuid in writable},
            on_connected=lambda: None,
            on_disconnected=self._on_disconnected,
            on_room=self._pump,
            on_subscribed=self._look,
        )

    # Life ------------------------------------------------------------------------------------------------

    async def power_on(self) -> None:
        """Boot and advertise; advertising goes on whenever nobody is connected."""
        await self._gatt.power_on()

    def power_off(self) -> None:
        """Stop everything at once."""
        self._gatt.power_off()
        self._on_disconnected()

    def begin(self, now_s: float) -> None:
        """Let time run: the first sample exists now."""
        self._played.begin(now_s)
        self._pump()

    # What can be seen and done from outside -----------------------------------------------------------------

    @property
    def is_streaming(self) -> bool:
        """True once the host has started it, whether or not samples are being made already."""
        return self.firmware.is_measuring(self._gatt.is_notified)

    @property
    def is_finished(self) -> bool:
        """True when its last whole batch has left, or nobody listens."""
        if self._played.made(self._loop.time()) < len(self._played):
            return False
        is_sent = len(self._played) - self._cursor < self.firmware.batch and self._gatt.is_flushed
        return is_sent or not self.is_streaming

    @property
    def ends_at_s(self) -> float | None:
        """Loop time at which its last sample is made; None before the playback has begun."""
        return self._played.made_at_s(len(self._played) - 1)

    # ------------------------------------------------------------------------------------------------------

    def _on_disconnected(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.firmware.forget_host()
        self._was_measuring = False
        self._on_progress()

    def _writer(self, uuid: str) -> Callable[[bytes], None]:
        def take(value: bytes) -> None:
            # The answers after the write itself has been confirmed.
            self._loop.call_soon(self._answer, self.firmware.write(uuid, value))

        return take

    def _answer(self, answers: list[Sent]) -> None:
        for each in answers:
            self._gatt.send(each.uuid, each.value)
        self._look()

    def _look(self) -> None:
        """Begin with the next sample made when the host has started it."""
        is_measuring = self.is_streaming
        if is_measuring and not self._was_measuring:
            self._cursor = self._played.made(self._loop.time())
            self._on_progress()
        self._was_measuring = is_measuring
        self._pump()

    def _pump(self) -> None:
        """Hand complete batches to the radio while it has room; come back when there is more to do."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_s = self._loop.time()
        if not self._was_measuring or not self._played.has_begun:
            return
        batch = self.firmware.batch
        made = self._played.made(now_s)
        most = max(int(_MOST_WAITING_S * self._played.source.rate.hz), batch)
        self._cursor = max(self._cursor, made - most)
        while self._gatt.has_room and made - self._cursor >= batch:
            for each in self.firmware.payloads(self._cursor, self._cursor + batch, self._gatt.mtu):
                self._gatt.send(each.uuid, each.value)
            self._cursor += batch
        if self._cursor + batch <= len(self._played):
            due_s = self._played.made_at_s(self._cursor + batch - 1)
            if due_s is not None and due_s > now_s:
                self._timer = self._loop.call_at(due_s, self._pump)
        else:
            self._on_progress()
