"""Certificates for brokers under test."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """Signs certificates for 127.0.0.1; its own is `certificate_file`."""

    def __init__(self, folder: Path) -> None:
        self.certificate_file = folder / "authority.pem"
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        own = self._signed("Authority", self._key.public_key(), 3600.0, is_authority=True)
        self.certificate_file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def sign(self, *, expires_in_s: float = 3600.0) -> tuple[Path, Path]:
        """Write a certificate and its key, in place of the one before; return their files."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate_file, key_file = self._folder / "certificate.pem", self._folder / "key.pem"
        signed = self._signed("127.0.0.1", key.public_key(), expires_in_s, is_authority=False)
        certificate_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate_file, key_file

    def _signed(
        self, name: str, key: ec.EllipticCurvePublicKey, expires_in_s: float, *, is_authority: bool
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(seconds=expires_in_s))
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
