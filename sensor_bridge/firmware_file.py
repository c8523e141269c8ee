"""Firmware images as MCUboot's tools write them: is the file whole, which version is it, who signed it."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from smpclient.mcuboot import IMAGE_TLV, ImageInfo, MCUBootImageError, TLVNotFound

from sensor_bridge.errors import UserInputError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

Version = tuple[int, int, int]

_LARGEST: Final = 16 * 1024 * 1024  # more than any sensor holds: do not read a film into memory


@dataclass(frozen=True, slots=True)
class FirmwareFile:
    """An image that is whole.

    Parameters
    ----------
    version
        Major, minor, revision.
    digest
        SHA-256 by which boot loader and sensor call the image.
    data
        The file.
    """

    version: Version
    digest: bytes
    data: bytes

    @property
    def version_text(self) -> str:
        """Version as people write it."""
        return ".".join(map(str, self.version))


def read_firmware(path: Path, key_path: Path | None = None) -> FirmwareFile:
    """Read a firmware image and check that it is whole and, with a key, by whom it was signed.

    Parameters
    ----------
    path
        A signed binary of MCUboot's imgtool.
    key_path
        Public key (PEM; Ed25519 or ECDSA P-256); None leaves the signature to the sensor.

    Returns
    -------
    FirmwareFile
        The image.

    Raises
    ------
    UserInputError
        It cannot be read, is no image, is damaged, or the signature is not the key's.
    """
    data = _read(path)
    try:
        info = ImageInfo.load_file(str(path))
        signed_size = info.header.hdr_size + info.header.img_size + info.header.protect_tlv_size
        told = info.get_tlv(IMAGE_TLV.SHA256).value
    except TLVNotFound:
        raise UserInputError(f"{path}: the image has no SHA-256; sign it with MCUboot's imgtool") from None
    except (MCUBootImageError, struct.error, ValueError):
        raise UserInputError(
            f"{path}: not a firmware image of MCUboot, or cut short; give the signed .bin of your build"
        ) from None
    digest = hashlib.sha256(data[:signed_size]).digest()
    if digest != told:
        raise UserInputError(f"{path}: the image is damaged: its hash is not the one it names")
    if key_path is not None:
        _check_signature(path, info, digest, key_path)
    version = info.header.ver
    return FirmwareFile((version.major, version.minor, version.revision), digest, data)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise UserInputError(f"{path}: larger than {_LARGEST // 1024 // 1024} MiB; no firmware is")
        return path.read_bytes()
    except OSError as error:
        raise UserInputError(f"{path}: cannot be read ({error.strerror})") from error


def _check_signature(path: Path, info: ImageInfo, digest: bytes, key_path: Path) -> None:
    key = _read_key(key_path)
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(info.get_tlv(IMAGE_TLV.ED25519).value, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            prehashed = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
            key.verify(info.get_tlv(IMAGE_TLV.ECDSA_SIG).value, digest, prehashed)
        else:
            raise UserInputError(f"{key_path}: keys of this kind are not known; Ed25519 and ECDSA P-256 are")
    except TLVNotFound:
        raise UserInputError(f"{path}: not signed with the kind of key that {key_path} is") from None
    except InvalidSignature:
        raise UserInputError(f"{path}: not signed by {key_path}; the sensor would refuse it") from None


def _read_key(path: Path) -> PublicKeyTypes:
    try:
        return load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise UserInputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, UnsupportedAlgorithm):
        raise UserInputError(
            f"{path}: not a public key in PEM; imgtool getpub --encoding pem writes one"
        ) from None
