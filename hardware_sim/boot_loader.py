"""The boot loader of a virtual sensor: two slots, and MCUboot's rules for what runs.

Source: MCUboot design document, "Image trailer" and "Boot swap types" (docs.mcuboot.com/design.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from hardware_sim.errors import HardwareSimError
from hardware_sim.firmware_image import FirmwareImage, read_image

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Swap(Enum):
    """What the boot loader is to do with the second slot at the next boot."""

    NONE = auto()
    TEST = auto()
    PERMANENT = auto()


@dataclass(slots=True)
class BootLoader:
    """Two slots of flash, and the choice between them at every boot.

    Parameters
    ----------
    running
        Image in the first slot; it runs.
    slot_size
        Room in each slot, bytes.
    key
        Images must be signed by it; None takes every image that is whole.

    Attributes
    ----------
    second
        Bytes in the second slot, empty after erasing.
    swap
        What was asked for the next boot.
    is_confirmed
        False while the running image is on trial: the next boot goes back to the one before.
    """

    running: FirmwareImage
    slot_size: int
    key: Ed25519PublicKey | None = None
    second: bytes = b""
    swap: Swap = Swap.NONE
    is_confirmed: bool = True
    _running_bytes: bytes = b""

    @classmethod
    def with_image(cls, image: bytes, slot_size: int, key: Ed25519PublicKey | None = None) -> BootLoader:
        """Make one whose first slot holds an image."""
        return cls(read_image(image), slot_size, key, _running_bytes=image)

    @property
    def waiting(self) -> FirmwareImage | None:
        """Image in the second slot, None where there is no whole one."""
        try:
            return read_image(self.second)
        except HardwareSimError:
            return None

    def boot(self) -> FirmwareImage:
        """Start anew.

        Returns
        -------
        FirmwareImage
            What runs now. Where it crashes, the watchdog boots again, and the image on trial has to go.
        """
        if self.swap is not Swap.NONE:
            self._take_second()
        elif not self.is_confirmed:
            self._exchange()
            self.is_confirmed = True
        return self.running

    def _take_second(self) -> None:
        waiting, swap, self.swap = self.waiting, self.swap, Swap.NONE
        if waiting is None or not self._accepts(waiting):
            self.second = b""
            return
        self._exchange()
        self.is_confirmed = swap is Swap.PERMANENT

    def _accepts(self, image: FirmwareImage) -> bool:
        if image.version < self.running.version:
            return False
        return self.key is None or image.is_signed_by(self.key)

    def _exchange(self) -> None:
        self.second, self._running_bytes = self._running_bytes, self.second
        self.running = read_image(self._running_bytes)
