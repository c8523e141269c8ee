"""``hipline certificates``: encryption without anybody else's help."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import typer

from sensor_bridge.access.certificates import CertificateFiles, create_certificates
from sensor_bridge.access.machine import own_addresses, own_names
from sensor_bridge.config_file import load_config

if TYPE_CHECKING:
    from pathlib import Path

_TRUST = """\
Let each phone and laptop that opens the page trust {path} (send the file there, never the key beside it):
  iPhone, iPad   open the file; Settings > General > VPN & Device Management > install the profile;
                 then Settings > General > About > Certificate Trust Settings > switch it on
  Android        Settings > Security > Encryption & credentials > Install a certificate > CA certificate
  Windows        open the file > Install > Trusted Root Certification Authorities
  macOS          open the file in Keychain Access > Trust > Always Trust
  Firefox        Settings > Privacy & Security > Certificates > Authorities > Import
It can sign for this machine, local names and private addresses only."""


def create(config_path: Path | None, *, names: list[str]) -> None:
    """Make a certificate for this machine and say how devices come to trust it.

    Parameters
    ----------
    config_path
        The configuration; None: the user's own.
    names
        More names and addresses of this machine.

    Raises
    ------
    BridgeError
        It cannot be made or written.
    """
    config = load_config(config_path)
    files = CertificateFiles.of(config.data_folder.resolve())
    subjects = [
        *config.network.names,
        *names,
        *own_names(),
        *own_addresses(),
        *("localhost", "127.0.0.1", "::1"),
    ]
    is_new = create_certificates(files, subjects, dt.datetime.now(dt.UTC))
    typer.echo(f"{files.server}: for {', '.join(dict.fromkeys(subjects))}")
    typer.echo(_TRUST.format(path=files.authority) if is_new else f"signed by {files.authority}, as before")
    typer.echo("Then: hipline run --network")
