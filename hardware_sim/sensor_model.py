"""What kind of sensor a virtual one is, and where it is on the air."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_protocol.packets import PROTOCOL_VERSION

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class SensorModel:
    """What kind of sensor is played.

    Parameters
    ----------
    ring_capacity_samples
        Samples kept in RAM.
    queue_frames
        Frames that may wait for the radio before the oldest is dropped.
    protocol_version
        Version in the head of INFO; another one than 1 is what a bridge has to refuse.
    firmware_version, hardware_revision
        As told in INFO.
    temperature_c
        Temperature of the chip, °C.
    flash_capacity_samples
        Samples kept in flash, to be fetched over BULK; 0 for a sensor without flash.
    update_key
        Firmware images must be signed by it; None takes every image that is whole.
    requires_pairing
        Whether commands, BULK and SMP are taken over an encrypted link only; else it does not pair at all.
    """

    ring_capacity_samples: int = 6000
    queue_frames: int = 32
    protocol_version: int = PROTOCOL_VERSION
    firmware_version: tuple[int, int, int] = (1, 0, 0)
    hardware_revision: int = 1
    temperature_c: float = 31.5
    flash_capacity_samples: int = 0
    update_key: Ed25519PublicKey | None = None
    requires_pairing: bool = False


def address_of(sensor_id: str) -> str:
    """Bluetooth address (random static) that the virtual sensor of this id has in every run."""
    digest = hashlib.sha256(sensor_id.encode()).digest()[:6]
    return ":".join(f"{byte:02X}" for byte in (digest[0] | 0xC0, *digest[1:]))
