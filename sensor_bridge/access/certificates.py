"""Certificates of this machine: an authority of its own, and what a server shows to browsers (RFC 5280)."""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
import os
import re
import ssl
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sensor_bridge.errors import ConfigError, UserInputError
from sensor_bridge.private_file import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_log = logging.getLogger(__name__)

FOLDER_NAME = "certificates"

_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_AUTHORITY_DAYS = 3650
_SOON_DAYS = 30
_SERVER_DAYS = 820  # Apple's devices take no longer ones, 825 days (support.apple.com/HT210176)
_AUTHORITY_NAMES = ("localhost", "local", "lan", "home.arpa", "internal")
# Addresses that mean something only inside of a network (RFC 1918, 3927, 4193, 4291).
_AUTHORITY_NETWORKS = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
    *("::1/128", "fc00::/7", "fe80::/10"),
)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where certificates and keys lie.

    Attributes
    ----------
    folder
        Of the authority.
    server_folder
        Of what the server shows; None: the same.
    """

    folder: Path
    server_folder: Path | None = None

    @classmethod
    def of(cls, data_folder: Path) -> CertificateFiles:
        """Return where those of a bridge lie that keeps its data in a folder."""
        return cls(data_folder / FOLDER_NAME)

    @property
    def authority(self) -> Path:
        """What phones and laptops are told to trust."""
        return self.folder / "hipline-authority.pem"

    @property
    def authority_key(self) -> Path:
        """Its key, which never leaves this machine."""
        return self.folder / "authority-key.pem"

    @property
    def server(self) -> Path:
        """What browsers are shown."""
        return (self.server_folder or self.folder) / "server.pem"

    @property
    def server_key(self) -> Path:
        """Its key."""
        return (self.server_folder or self.folder) / "server-key.pem"


def create_certificates(files: CertificateFiles, names: Iterable[str], now: dt.datetime) -> bool:
    """Make a certificate for this machine, and before the first one an authority that signs it.

    The authority may only sign for local names, private addresses and what was given when it was made, so
    that its key opens nothing else to whoever steals it.

    Parameters
    ----------
    files
        Where they go; an authority that is there is used again.
    names
        Host names and addresses of this machine.
    now
        When, UTC.

    Returns
    -------
    bool
        Whether the authority is new, and so has to be trusted anew.

    Raises
    ------
    UserInputError
        The authority may not sign for one of the names, or has expired.
    BridgeError
        A file cannot be read or written.
    """
    subjects = [_general_name(name) for name in dict.fromkeys(names)]
    is_new = not files.authority.exists()
    if is_new:
        _write_authority(files, subjects, now)
    authority = _read_certificate(files.authority)
    _require_allowed(files, authority, subjects)
    if authority.not_valid_after_utc <= now:
        raise UserInputError(
            f"{files.authority} has expired: remove it, run this again, and let all devices trust the new one"
        )
    _write_server(files, authority, subjects, now)
    return is_new


def server_encryption(certificate: Path, key: Path, now: dt.datetime) -> ssl.SSLContext:
    """Load what a server needs for TLS.

    Raises
    ------
    ConfigError
        They cannot be used: one line says which and why (expired, others may read the key, no pair).
    """
    shown = _read_certificate(certificate)
    if shown.not_valid_after_utc <= now:
        raise ConfigError(
            f"{certificate} has expired on {shown.not_valid_after_utc:%Y-%m-%d}: get another "
            "(hipline certificates create makes one for this machine)"
        )
    if shown.not_valid_before_utc > now:
        raise ConfigError(
            f"{certificate} is valid from {shown.not_valid_before_utc:%Y-%m-%d} on only: is the clock right?"
        )
    if shown.not_valid_after_utc - now < dt.timedelta(days=_SOON_DAYS):
        _log.warning("%s expires on %s", certificate, f"{shown.not_valid_after_utc:%Y-%m-%d}")
    _require_private(key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=b"")  # without one it would ask in the terminal
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{key} is not the key of {certificate}, or is protected by a password: "
            "give a pair, the key without a password"
        ) from error
    return context


def _write_authority(files: CertificateFiles, subjects: list[x509.GeneralName], now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    title = f"Hipline of {subjects[0].value}, {now:%Y-%m-%d}"[:64]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    permitted: list[x509.GeneralName] = [x509.DNSName(each) for each in _AUTHORITY_NAMES]
    permitted += [x509.IPAddress(ipaddress.ip_network(each)) for each in _AUTHORITY_NETWORKS]
    for each in subjects:
        if not any(_covers(known, each) for known in permitted):
            is_address = isinstance(each, x509.IPAddress)
            permitted.append(x509.IPAddress(ipaddress.ip_network(each.value)) if is_address else each)
    certificate = (
        _builder(name, name, key.public_key(), now, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(files.authority_key, _pem_key(key))
    write_private(files.authority, certificate.public_bytes(serialization.Encoding.PEM))


def _write_server(
    files: CertificateFiles, authority: x509.Certificate, subjects: list[x509.GeneralName], now: dt.datetime
) -> None:
    signing = _read_key(files.authority_key)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hipline")])
    days = min(_SERVER_DAYS, (authority.not_valid_after_utc - now).days)
    certificate = (
        _builder(name, authority.subject, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        .sign(signing, hashes.SHA256())
    )
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError) as error:
        raise UserInputError(
            f"{files.authority_key} is not the key of {files.authority}: remove both, and run this again"
        ) from error
    pem = serialization.Encoding.PEM
    write_private(files.server_key, _pem_key(key))
    write_private(files.server, certificate.public_bytes(pem) + authority.public_bytes(pem))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))  # clocks of phones differ
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    if not _HOST_NAME.fullmatch(name.lower()):
        raise UserInputError(f"{name!r} is neither a host name nor an address")
    return x509.DNSName(name.lower())


def _require_allowed(
    files: CertificateFiles, authority: x509.Certificate, subjects: list[x509.GeneralName]
) -> None:
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return
    for subject in subjects:
        if not any(_covers(each, subject) for each in constraints.permitted_subtrees or ()):
            raise UserInputError(
                f"{files.authority} may not sign for {subject.value}: remove it, run this again, and let all "
                "devices trust the new one"
            )


def _covers(permitted: x509.GeneralName, subject: x509.GeneralName) -> bool:
    if isinstance(permitted, x509.IPAddress) and isinstance(subject, x509.IPAddress):
        network = permitted.value
        return (
            isinstance(network, (ipaddress.IPv4Network, ipaddress.IPv6Network)) and subject.value in network
        )
    if isinstance(permitted, x509.DNSName) and isinstance(subject, x509.DNSName):
        return subject.value == permitted.value or subject.value.endswith(f".{permitted.value}")
    return False


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: the certificate cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is no certificate in PEM form") from error


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ConfigError(f"{path}: the key cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: is no key in PEM form without a password") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{path}: is not a key of this authority")
    return key


def _require_private(key: Path) -> None:
    try:
        mode = key.stat().st_mode
    except OSError as error:
        raise ConfigError(f"{key}: the key cannot be read: {error.strerror}") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{key}: others may read the key: run chmod 600 {key}")


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
