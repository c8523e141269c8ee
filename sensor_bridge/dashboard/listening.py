"""Whom a listening address serves. Pure."""

from __future__ import annotations

import ipaddress


def serves_this_machine_only(host: str) -> bool:
    """Whether a server that listens on `host` hears nobody but this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
