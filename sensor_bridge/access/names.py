"""What this machine is called. A request under another name was led here by somebody else's page."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Names:
    """Host names that a ``Host`` or ``Origin`` header may show.

    A site elsewhere may let its own name point to this machine, and its scripts then count as ours (DNS
    rebinding); but they cannot choose the name their requests carry, nor may it be a plain address.

    Parameters
    ----------
    own
        Names on the network, beside those of the loopback.
    any_address
        Whether any IP address will do: for those who listen on all of them.
    """

    own: frozenset[str] = frozenset()
    any_address: bool = False

    def include(self, name: str) -> bool:
        """Whether this is one of our names, or an address where these are taken."""
        name = name.lower().removesuffix(".")
        if name in _LOCAL or name in self.own:
            return True
        if not self.any_address:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def in_host(self, header: str) -> bool:
        """Whether a ``Host`` header names this machine."""
        return self._include_of(f"//{header}")

    def in_origin(self, header: str) -> bool:
        """Whether an ``Origin`` header names a page of this machine."""
        return self._include_of(header)

    def _include_of(self, address: str) -> bool:
        try:
            return self.include(urlsplit(address).hostname or "")
        except ValueError:  # brackets that are not closed, for one
            return False
