"""Firmware images in the format of MCUboot: read, checked and, for virtual sensors, made.

Source: MCUboot design document, "Image format" (docs.mcuboot.com/design.html). Only what a virtual sensor
needs: a header, a program, a SHA-256 and an optional Ed25519 signature over that hash.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature

from hardware_sim.errors import HardwareSimError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Version = tuple[int, int, int]

IMAGE_MAGIC: Final = 0x96F3B83D
_HEADER: Final = struct.Struct("<IIHHII BBHI 4x")
_TAIL_MAGIC: Final = 0x6907
_TAIL: Final = struct.Struct("<HH")
_ENTRY: Final = struct.Struct("<BxH")
_SHA256, _ED25519 = 0x10, 0x24

# A virtual sensor does not run machine code: what begins like this boots, anything else crashes.
_PROGRAM_START: Final = b"HIPLINE\x00"


@dataclass(frozen=True, slots=True)
class FirmwareImage:
    """An image that is whole: its hash fits.

    Parameters
    ----------
    version
        Major, minor, revision.
    digest
        SHA-256 of header and program, by which the image is called.
    signature
        Ed25519 signature of the digest; None where there is none.
    program
        What would run.
    """

    version: Version
    digest: bytes
    signature: bytes | None
    program: bytes

    @property
    def boots(self) -> bool:
        """False for a program that crashes at its start."""
        return self.program.startswith(_PROGRAM_START)

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Tell whether the signature is this key's."""
        if self.signature is None:
            return False
        try:
            key.verify(self.signature, self.digest)
        except InvalidSignature:
            return False
        return True


def read_image(data: bytes) -> FirmwareImage:
    """Read an image as a boot loader does.

    Parameters
    ----------
    data
        The image; what follows it (erased flash) is ignored.

    Returns
    -------
    FirmwareImage
        Header, program, hash and signature.

    Raises
    ------
    HardwareSimError
        It is none, is cut short, or its hash is another one.
    """
    try:
        magic, _, header_size, _, size, _, major, minor, revision, _ = _HEADER.unpack_from(data)
        tail = header_size + size
        tail_magic, tail_size = _TAIL.unpack_from(data, tail)
        if magic != IMAGE_MAGIC or tail_magic != _TAIL_MAGIC or header_size < _HEADER.size:
            raise HardwareSimError("not a firmware image")
        entries = _entries(data[tail + _TAIL.size : tail + tail_size])
    except struct.error:
        raise HardwareSimError("the firmware image is cut short") from None
    digest = hashlib.sha256(data[:tail]).digest()
    if entries.get(_SHA256) != digest:
        raise HardwareSimError("the firmware image is damaged: its hash is another one")
    return FirmwareImage(
        (major, minor, revision), digest, entries.get(_ED25519), bytes(data[header_size:tail])
    )


def build_image(
    version: Version, *, key: Ed25519PrivateKey | None = None, size: int = 4096, boots: bool = True
) -> bytes:
    """Make an image for virtual sensors.

    Parameters
    ----------
    version
        Major, minor, revision.
    key
        Signs it; None for an image that is not signed.
    size
        Length of the program, bytes.
    boots
        False makes a program that crashes at its start.

    Returns
    -------
    bytes
        The image file.
    """
    start = _PROGRAM_START if boots else b"\x00" * len(_PROGRAM_START)
    text = f"{version} ".encode()
    program = (start + text * (size // len(text) + 1))[:size]
    signed = _HEADER.pack(IMAGE_MAGIC, 0, _HEADER.size, 0, size, 0, *version, 0) + program
    digest = hashlib.sha256(signed).digest()
    entries = _ENTRY.pack(_SHA256, len(digest)) + digest
    if key is not None:
        signature = key.sign(digest)
        entries += _ENTRY.pack(_ED25519, len(signature)) + signature
    return signed + _TAIL.pack(_TAIL_MAGIC, _TAIL.size + len(entries)) + entries


def _entries(data: bytes) -> dict[int, bytes]:
    entries: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        kind, size = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        if at + size > len(data):
            raise HardwareSimError("the firmware image is cut short")
        entries[kind] = bytes(data[at : at + size])
        at += size
    return entries
