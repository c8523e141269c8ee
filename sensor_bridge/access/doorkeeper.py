"""How many connections an address may open, how fast, and how often it may be wrong."""

from __future__ import annotations

import ipaddress
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_SOURCES = 4096  # remembered at once; the one not seen longest is forgotten first
_SITE_PREFIX = 64  # bits of an IPv6 address that name a household, which has the rest for itself


@dataclass(frozen=True, slots=True)
class Limits:
    """What one gym needs, with room to spare.

    Attributes
    ----------
    connections, connections_of_one
        Open at once: in all, and from one address.
    connects_at_once, connects_per_s
        New connections from one address: so many at once, and so many a second for longer.
    failures_at_once, failures_per_s
        The same for wrong tokens.
    """

    connections: int = 400
    connections_of_one: int = 300
    connects_at_once: int = 500
    connects_per_s: float = 50.0
    failures_at_once: int = 20
    failures_per_s: float = 1.0


class Doorkeeper:
    """Counts what each address does, for all listeners of one bridge.

    Parameters
    ----------
    limits
        What is too much.
    clock
        Seconds that only go forward.
    """

    def __init__(self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits or Limits()
        self._clock = clock
        self._open: Counter[str] = Counter()
        self._connects = _Allowance(self._limits.connects_at_once, self._limits.connects_per_s)
        self._failures = _Allowance(self._limits.failures_at_once, self._limits.failures_per_s)
        self.turned_away = 0

    @property
    def open_connections(self) -> int:
        """Connections that were let in and have not left."""
        return self._open.total()

    def admit(self, address: str) -> bool:
        """Let a new connection in, or not; who is let in has to `leave`."""
        source = source_of(address)
        limits = self._limits
        if (
            not self._connects.take(source, self._clock())
            or self._open.total() >= limits.connections
            or self._open[source] >= limits.connections_of_one
        ):
            self.turned_away += 1
            return False
        self._open[source] += 1
        return True

    def leave(self, address: str) -> None:
        """Take note that a connection has ended."""
        source = source_of(address)
        self._open[source] -= 1
        if self._open[source] <= 0:
            del self._open[source]

    def failed(self, address: str) -> bool:
        """Take note of a wrong token; tell whether the address has gone too far."""
        return not self._failures.take(source_of(address), self._clock())


def source_of(address: str) -> str:
    """Tell whom connections of an address are counted for: IPv4 addresses, and IPv6 networks of 64 bits."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, _SITE_PREFIX), strict=False))


class _Allowance:
    """So many at once, and so many a second; by source."""

    def __init__(self, at_once: int, per_s: float) -> None:
        self._at_once = at_once
        self._per_s = per_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, source: str, now_s: float) -> bool:
        left, since_s = self._left.pop(source, (float(self._at_once), now_s))
        left = min(float(self._at_once), left + (now_s - since_s) * self._per_s)
        granted = left >= 1.0
        self._left[source] = (left - 1.0 if granted else left, now_s)
        if len(self._left) > _MOST_SOURCES:
            self._left.popitem(last=False)
        return granted
