"""Whether the connection intervals in force can carry what the sensors send. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_INTERVAL_MS: Final = 50.0  # docs/protocol.md: what a sensor accepts
SLOT_MS: Final = 3.0  # a full packet with its acknowledgement and the spaces between, 1M PHY
_PACKETS_AN_EVENT: Final = 3  # what common adapters manage in one connection event with several links


@dataclass(frozen=True, slots=True)
class LinkLoad:
    """What one link has to carry.

    Parameters
    ----------
    sensor_id
        Whose link.
    interval_ms
        Connection interval in force, ms.
    frames_hz
        Frames a second that the sensor sends.
    """

    sensor_id: str
    interval_ms: float
    frames_hz: float


def over_budget(loads: Iterable[LinkLoad]) -> str | None:
    """Say what the intervals cannot carry, and how to mend it.

    Parameters
    ----------
    loads
        Every link of one adapter that streams.

    Returns
    -------
    str or None
        One sentence on the worst trouble; None where all fits.
    """
    links = sorted(loads, key=lambda link: (-link.interval_ms, link.sensor_id))
    if not links:
        return None
    slow = [link for link in links if link.interval_ms > LONGEST_INTERVAL_MS]
    if slow:
        named = ", ".join(f"{link.sensor_id} ({link.interval_ms:g} ms)" for link in slow)
        return (
            f"connection interval over {LONGEST_INTERVAL_MS:g} ms: {named}; samples come late and get lost: "
            "let the sensor's firmware ask for 30 ms (on Linux also: conn_max_interval of the adapter)"
        )
    for link in links:
        packets = link.frames_hz * link.interval_ms / 1000.0
        if packets > _PACKETS_AN_EVENT:
            return (
                f"{link.sensor_id} sends {link.frames_hz:.0f} packets a second, an interval of "
                f"{link.interval_ms:g} ms carries about {_PACKETS_AN_EVENT * 1000.0 / link.interval_ms:.0f}: "
                "set a larger streaming.batch or a lower streaming.sampling_rate_hz"
            )
    shortest = links[-1]
    needed_ms = len(links) * SLOT_MS
    if needed_ms > shortest.interval_ms:
        return (
            f"{len(links)} links need about {needed_ms:g} ms in every interval, {shortest.sensor_id} has "
            f"{shortest.interval_ms:g} ms: let the sensors ask for 30 ms, or use fewer with one adapter"
        )
    return None
