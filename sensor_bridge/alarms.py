"""What is wrong with the bridge itself, one sentence an alarm. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor_bridge.ble.link import LinkPhase
from sensor_bridge.ble.link_budget import LinkLoad, over_budget

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor_bridge.ble.link import LinkState


def bridge_alarms(
    *,
    dropped: int,
    unlogged: int,
    never_logged: int,
    late_samples: int,
    links: Iterable[LinkState],
    batch: int,
) -> dict[str, str | None]:
    """Return each alarm's text by its code; None where all is well.

    Parameters
    ----------
    dropped
        Frames that were logged but not measured.
    unlogged, never_logged
        Frames that were measured but not logged: those that wait for room, and those that no longer do.
    late_samples
        Samples that came after those of other sensors had been measured without them.
    links
        Last report on each link.
    batch
        Samples a packet that sensors are asked for.
    """
    return {
        "overload": f"{dropped} frames were logged but not measured: this machine is too slow"
        if dropped
        else None,
        "late_samples": f"{late_samples} samples came too late to be measured with those of other sensors"
        if late_samples
        else None,
        "frame_log": f"{unlogged} frames wait in memory, not logged: free some space on the disk"
        if unlogged
        else None,
        "frames_lost": f"{never_logged} frames were measured but never logged, for want of space"
        if never_logged
        else None,
        "link_budget": over_budget(
            LinkLoad(link.sensor_id, link.health.connection_interval_ms, link.sampling_rate_hz / batch)
            for link in links
            if link.phase is LinkPhase.CONNECTED
            and link.health.connection_interval_ms is not None
            and link.sampling_rate_hz is not None
        ),
    }
