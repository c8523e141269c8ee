"""The picture of a set: hip angles and pelvic tilt over time, the lowerings shaded. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sensor_bridge.report.data_quality import PLOTTED
from sensor_bridge.report.plots import AnglePlot, AngleStretch, Moment, angle_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor_bridge.archive.answers import SessionDetail
    from sensor_bridge.mqtt.payloads import Repetition, SetSummary

_AROUND_A_SET_MS = 2000.0


class SetPicture(Struct, frozen=True, kw_only=True):
    """The picture of one set, as the page draws it; null where no angles of it were kept."""

    set: int
    plot: AnglePlot | None


def set_pictures(detail: SessionDetail, angles: AngleStretch | None) -> list[SetPicture]:
    """Draw all sets of a session that stand; parameters as for `set_plot`."""
    return [
        SetPicture(
            set=summary.set,
            plot=set_plot(
                summary,
                [one for one in detail.repetitions if one.set == summary.set and one.status != "withdrawn"],
                angles,
            ),
        )
        for summary in detail.sets
        if not summary.withdrawn
    ]


def set_plot(
    summary: SetSummary, repetitions: Sequence[Repetition], angles: AngleStretch | None
) -> AnglePlot | None:
    """Draw a set with two seconds around it.

    Parameters
    ----------
    summary, repetitions
        The set, and its repetitions that stand.
    angles
        Of the session; None where none were kept.
    """
    starts = [one.eccentric_start_ms for one in repetitions] + [
        one.concentric_start_ms for one in repetitions
    ]
    ends = [one.eccentric_end_ms for one in repetitions] + [one.concentric_end_ms for one in repetitions]
    edges = [edge for edge in [*starts, *ends, summary.start_ms, summary.end_ms] if edge is not None]
    if angles is None or not edges:
        return None
    stretch = angles.between(min(edges) - _AROUND_A_SET_MS, max(edges) + _AROUND_A_SET_MS)
    shown = {name: stretch.angles_deg[name] for name in PLOTTED if name in stretch.angles_deg}
    lowerings = [
        Moment(one.eccentric_start_ms, one.eccentric_end_ms, str(one.repetition))
        for one in repetitions
        if one.eccentric_start_ms is not None and one.eccentric_end_ms is not None
    ]
    return angle_plot(AngleStretch(stretch.t_ms, shown), lowerings)
