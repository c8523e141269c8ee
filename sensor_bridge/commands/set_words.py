"""What is said below the table of a set: what was asked, where form broke, sides, steps of walkouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def set_words(summary: Mapping[str, Any], repetitions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sum up a set in sentences; what was not measured is left out.

    Parameters
    ----------
    summary
        Entry of ``sets`` in a result/1 document.
    repetitions
        The entries of ``repetitions`` that belong to it.
    """
    lines = []
    asked = summary.get("adherence")
    if asked is not None:
        lines.append(_adherence(asked))
    if summary.get("form_broke_at") is not None:
        lines.append(f"form broke at repetition {summary['form_broke_at']}")
    difference, detectable = summary.get("hip_range_difference_deg"), summary.get("hip_range_detectable_deg")
    if difference is not None and detectable is not None:
        told = "a real difference" if abs(difference) > detectable else "no difference that can be told"
        lines.append(
            f"hip range, left minus right: {difference:+.1f}°, {told} (from {detectable:.1f}° on it can)"
        )
    lines += [
        _walkout(entry["repetition"], entry["walkout"])
        for entry in repetitions
        if entry.get("walkout") is not None
    ]
    return lines


def _adherence(asked: Mapping[str, Any]) -> str:
    parts = [f"{asked['repetitions_done']} done"]
    if asked["repetitions_asked"] is not None:
        parts[0] = f"{asked['repetitions_done']} of {asked['repetitions_asked']} repetitions"
    if asked["parts_judged"]:
        parts.append(f"{asked['parts_kept']} of {asked['parts_judged']} tempo counts kept")
    if asked["is_side_kept"] is False:
        parts.append("the other side was asked for")
    return f"against what was asked: {', '.join(parts)}"


def _walkout(repetition: int, walkout: Mapping[str, Any]) -> str:
    steps = walkout["steps"]
    line = f"walkout {repetition}: {len(steps)} steps, held {walkout['hold_s']:.1f} s"
    line += f", alternation errors: {walkout['alternation_errors']}"
    if steps:
        sag, dip = (max(abs(step[name]) for step in steps) for name in ("sag_deg", "dip_deg"))
        line += f", sag up to {sag:.1f}°, dip up to {dip:.1f}° (± {walkout['sd_deg']:.1f}°)"
    return f"{line}; proxies"
