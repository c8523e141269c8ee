"""What this machine is called, and under which addresses its network reaches it."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
# Addresses kept for examples (RFC 5737, 3849): asking the way there sends nothing.
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_names() -> list[str]:
    """List the host names of this machine, also as multicast DNS has them (RFC 6762)."""
    name = socket.gethostname().lower().partition(".")[0]
    return [name, f"{name}.local"] if _HOST_NAME.fullmatch(name) and name != "localhost" else []


def own_addresses() -> list[str]:
    """List the addresses under which the network reaches this machine, the likeliest first."""
    found = []
    for family, elsewhere in _ELSEWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found.append(str(probe.getsockname()[0]))
    with contextlib.suppress(OSError):
        found += [str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None)]
    return [address for address in dict.fromkeys(found) if _reaches_others(address)]


def _reaches_others(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    return not (ip.is_loopback or ip.is_unspecified or ip.is_link_local)
