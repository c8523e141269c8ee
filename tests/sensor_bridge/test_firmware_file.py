"""Is the file a whole image, and whose signature is it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware_sim.firmware_image import build_image
from sensor_bridge.errors import UserInputError
from sensor_bridge.firmware_file import read_firmware

if TYPE_CHECKING:
    from pathlib import Path

KEY = Ed25519PrivateKey.generate()
IMAGE = build_image((1, 2, 3), key=KEY, size=500)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "sensor.bin"
    path.write_bytes(IMAGE)
    return path


def pem(path: Path, key: object) -> Path:
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def test_a_signed_image_is_read(image: Path, tmp_path: Path) -> None:
    firmware = read_firmware(image, pem(tmp_path / "key.pem", KEY))
    assert firmware.version_text == "1.2.3"
    assert firmware.data == IMAGE


def test_another_key_is_refused(image: Path, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match=r"not signed by .*other\.pem; the sensor would refuse it"):
        read_firmware(image, pem(tmp_path / "other.pem", Ed25519PrivateKey.generate()))
    with pytest.raises(UserInputError, match="not signed with the kind of key"):
        read_firmware(image, pem(tmp_path / "ec.pem", generate_private_key(SECP256R1())))


def test_an_image_without_signature_needs_no_key_and_meets_none(image: Path, tmp_path: Path) -> None:
    image.write_bytes(build_image((1, 2, 3)))
    assert read_firmware(image).version == (1, 2, 3)
    with pytest.raises(UserInputError, match="not signed"):
        read_firmware(image, pem(tmp_path / "key.pem", KEY))


def test_a_key_that_is_none(image: Path, tmp_path: Path) -> None:
    nonsense = tmp_path / "key.pem"
    nonsense.write_text("secret")
    with pytest.raises(UserInputError, match="not a public key in PEM"):
        read_firmware(image, nonsense)
    with pytest.raises(UserInputError, match="cannot be read"):
        read_firmware(image, tmp_path / "absent.pem")


def test_a_damaged_image(image: Path) -> None:
    image.write_bytes(IMAGE[:100] + b"?" + IMAGE[101:])
    with pytest.raises(UserInputError, match="damaged"):
        read_firmware(image)


def test_no_image(image: Path, tmp_path: Path) -> None:
    image.write_text("not firmware at all, but long enough to hold a header")
    with pytest.raises(UserInputError, match="not a firmware image of MCUboot"):
        read_firmware(image)
    with pytest.raises(UserInputError, match="cannot be read"):
        read_firmware(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.integers(0, len(IMAGE)), at=st.integers(0, len(IMAGE) - 1), byte=st.integers(0, 255))
def test_no_file_breaks_it(image: Path, cut: int, at: int, byte: int) -> None:
    changed = bytearray(IMAGE)
    changed[at] = byte
    image.write_bytes(changed[:cut])
    said = ""
    try:
        assert len(read_firmware(image).digest) == 32
    except UserInputError as error:
        said = str(error)
    assert "\n" not in said
