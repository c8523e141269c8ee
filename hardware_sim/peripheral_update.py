"""A virtual sensor's firmware: which image runs, and how it is exchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware_protocol.gatt import SMP_UUID
from firmware_protocol.packets import NOTIFICATION_OVERHEAD
from hardware_sim.boot_loader import BootLoader
from hardware_sim.firmware_image import build_image
from hardware_sim.image_server import ImageServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from hardware_sim.firmware_image import Version
    from hardware_sim.peripheral_gatt import GattServer

_SLOT_SIZE: Final = 512 * 1024


class UpdatableFirmware:
    """Boot loader and update service of one sensor.

    Parameters
    ----------
    version
        Of the firmware at first.
    key
        Images must be signed by it; None takes every image that is whole.

    Attributes
    ----------
    on_reset
        Called when the host asks for a reboot.
    """

    def __init__(self, version: Version, key: Ed25519PublicKey | None) -> None:
        self.on_reset: Callable[[], None] | None = None
        self._boot_loader = BootLoader.with_image(build_image(version), _SLOT_SIZE, key)
        self._server = ImageServer(self._boot_loader, self._reset)
        self._gatt: GattServer | None = None

    @property
    def version(self) -> Version:
        """Of what runs."""
        return self._boot_loader.running.version

    def attach(self, gatt: GattServer) -> None:
        """Answer over this server."""
        self._gatt = gatt

    def take(self, fragment: bytes) -> None:
        """Take what the host wrote."""
        answer = self._server.take(fragment)
        if answer is None or self._gatt is None:
            return
        size = self._gatt.mtu - NOTIFICATION_OVERHEAD
        for start in range(0, len(answer), size):
            self._gatt.notify(SMP_UUID, answer[start : start + size])

    def forget_link(self) -> None:
        """Note that the host is gone."""
        self._server.forget_link()

    def boot(self) -> bool:
        """Boot; False where what runs now crashes."""
        self._server.reboot()
        return self._boot_loader.boot().boots

    def _reset(self) -> None:
        if self.on_reset is not None:
            self.on_reset()
