"""Images in MCUboot's format, byte by byte."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware_sim.errors import HardwareSimError
from hardware_sim.firmware_image import build_image, read_image

# MCUboot's header: magic, load address, size of header, of protected entries, of image, flags, version.
HEADER = bytes.fromhex("3db8f396 00000000 2000 0000 0a000000 00000000 01 02 0300 00000000 00000000")
PROGRAM = b"HIPLINE\x00ok"
SIGNED = HEADER + PROGRAM
DIGEST = hashlib.sha256(SIGNED).digest()
BY_HAND = SIGNED + bytes.fromhex("0769 2800 10 00 2000") + DIGEST


def test_an_image_written_by_hand_is_read() -> None:
    image = read_image(BY_HAND + b"\xff" * 100)  # erased flash follows
    assert image.version == (1, 2, 3)
    assert image.digest == DIGEST
    assert image.signature is None
    assert image.boots
    assert not image.is_signed_by(Ed25519PrivateKey.generate().public_key())


def test_what_is_built_is_read_and_knows_its_key() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    image = read_image(build_image((2, 0, 1), key=key, size=1000, boots=False))
    assert image.version == (2, 0, 1)
    assert len(image.program) == 1000
    assert not image.boots
    assert image.is_signed_by(key.public_key())
    assert not image.is_signed_by(other.public_key())


def test_every_image_that_is_cut_short_is_refused() -> None:
    for size in range(len(BY_HAND)):
        with pytest.raises(HardwareSimError):
            read_image(BY_HAND[:size])


@pytest.mark.parametrize("at", [0, 20, 35, len(SIGNED), len(SIGNED) + 12])
def test_a_changed_byte_is_noticed(at: int) -> None:
    changed = bytearray(BY_HAND)
    changed[at] ^= 0x01
    with pytest.raises(HardwareSimError):
        read_image(bytes(changed))
