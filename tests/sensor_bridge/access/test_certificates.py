from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
import ssl
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from sensor_bridge.access.certificates import CertificateFiles, create_certificates, server_encryption
from sensor_bridge.access.machine import own_addresses, own_names
from sensor_bridge.errors import ConfigError, UserInputError

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime.now(dt.UTC)
NAMES = ("gym-pc", "gym-pc.local", "192.168.1.5", "localhost", "127.0.0.1", "::1")


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    made = CertificateFiles.of(tmp_path)
    assert create_certificates(made, NAMES, NOW)
    return made


def accepts(files: CertificateFiles, name: str, at: dt.datetime = NOW) -> bool:
    """Whether a browser that trusts the authority takes the server for `name` (RFC 5280)."""
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    shown = x509.load_pem_x509_certificates(files.server.read_bytes())
    try:
        subject: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        subject = x509.DNSName(name)
    verifier = PolicyBuilder().store(Store([authority])).time(at).build_server_verifier(subject)  # type: ignore[arg-type]
    try:
        verifier.verify(shown[0], shown[1:])
    except VerificationError as error:
        print(error)
        return False
    return True


def test_who_trusts_the_authority_takes_this_machine_and_no_other(files: CertificateFiles) -> None:
    for name in NAMES:
        assert accepts(files, name), name
    for name in ("gym.example", "192.168.1.6", "pc", "evil.local"):
        assert not accepts(files, name), name
    assert not accepts(files, "gym-pc", NOW + dt.timedelta(days=821))


def test_all_files_are_for_their_owner_only(files: CertificateFiles) -> None:
    for path in (files.authority, files.authority_key, files.server, files.server_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700


def test_the_authority_stays_and_signs_again(files: CertificateFiles) -> None:
    authority, server = files.authority.read_bytes(), files.server.read_bytes()
    assert not create_certificates(files, ("gym-pc", "10.0.0.7"), NOW)
    assert files.authority.read_bytes() == authority
    assert files.server.read_bytes() != server
    assert accepts(files, "10.0.0.7")
    assert not accepts(files, "192.168.1.5")


@pytest.mark.parametrize("name", ["bank.example", "8.8.8.8", "2001:4860::1"])
def test_it_signs_for_nothing_but_this_network(files: CertificateFiles, name: str) -> None:
    server = files.server.read_bytes()
    with pytest.raises(UserInputError, match="may not sign for"):
        create_certificates(files, (name,), NOW)
    assert files.server.read_bytes() == server


@pytest.mark.parametrize("name", ["", "gym pc\N{SNOWMAN}"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserInputError):
        create_certificates(CertificateFiles.of(tmp_path), (name,), NOW)


def test_a_server_shows_it(files: CertificateFiles) -> None:
    context = server_encryption(files.server, files.server_key, NOW)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_an_expired_certificate_is_said_in_one_line(files: CertificateFiles) -> None:
    later = NOW + dt.timedelta(days=900)
    with pytest.raises(
        ConfigError, match=r"server\.pem has expired on \d{4}-\d\d-\d\d: get another"
    ) as caught:
        server_encryption(files.server, files.server_key, later)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"is valid from .* is the clock right"):
        server_encryption(files.server, files.server_key, NOW - dt.timedelta(days=9))


def test_one_that_will_soon_expire_is_told(files: CertificateFiles, caplog: pytest.LogCaptureFixture) -> None:
    server_encryption(files.server, files.server_key, NOW + dt.timedelta(days=780))
    assert not caplog.records
    server_encryption(files.server, files.server_key, NOW + dt.timedelta(days=800))
    assert "server.pem expires on " in caplog.text


def test_a_key_that_others_may_read_is_refused(files: CertificateFiles) -> None:
    files.server_key.chmod(0o644)
    with pytest.raises(ConfigError, match=r"others may read the key: run chmod 600 .*server-key\.pem"):
        server_encryption(files.server, files.server_key, NOW)


def test_a_key_of_another_certificate_is_refused(files: CertificateFiles, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"authority-key\.pem is not the key of .*server\.pem"):
        server_encryption(files.server, files.authority_key, NOW)
    shutil.copy(files.server_key, files.authority_key)
    with pytest.raises(UserInputError, match="is not the key of"):
        create_certificates(files, NAMES, NOW)


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", b"\xff"]
)
def test_what_is_no_certificate_is_said(files: CertificateFiles, content: bytes) -> None:
    files.server.write_bytes(content)
    with pytest.raises(ConfigError, match="is no certificate in PEM form"):
        server_encryption(files.server, files.server_key, NOW)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.pem: the certificate cannot be read: No such file"):
        server_encryption(tmp_path / "no.pem", tmp_path / "no-key.pem", NOW)


def test_this_machine_knows_its_names_and_addresses() -> None:
    assert not {"localhost", ""} & set(own_names())
    for address in own_addresses():
        assert not ipaddress.ip_address(address).is_loopback
