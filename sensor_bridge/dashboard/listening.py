"""Whom a listening address serves. Pure."""

from __future__ import annotations

import ipaddress

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - listened on only where a person asks for it


def serves_this_machine_only(host: str) -> bool:
    """Whether a server that listens on `host` hears nobody but this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
