"""All data sets one after another; what is absent is named and left out."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from benchmarks.accuracy.recordings import (
    bmhad,
    bowing,
    broad,
    cmu,
    false_repetitions,
    mex,
    qmt,
    sisfall,
    umafall,
    utd,
)
from benchmarks.accuracy.recordings.source import RecordingsAbsent

if TYPE_CHECKING:
    from benchmarks.accuracy.layout import Line
    from benchmarks.accuracy.recordings.false_repetitions import Outing

DATA_SETS = {
    "bowing_vicon": bowing,
    "sisfall_waist": sisfall,
    "bmhad_hip": bmhad,
    "utd_mhad_thigh": utd,
    "mex_thigh": mex,
    "cmu_mbl_exercise": cmu,
    "broad": broad,
}
WITHOUT_REPETITIONS = {
    "sisfall_waist": sisfall,
    "umafall_waist_pocket": umafall,
    "qmt_fullbody": qmt,
    "utd_mhad_thigh": utd,
    "bmhad_hip": bmhad,
}


def recording_report(chosen: list[str] | None = None) -> list[Line]:
    """Print the tables of all recordings; return their acceptance lines.

    Parameters
    ----------
    chosen
        Names of data sets, or ``false_repetitions``; everything if not given.
    """
    lines: list[Line] = []
    for name, data_set in DATA_SETS.items():
        if chosen and name not in chosen:
            continue
        started_s = time.monotonic()
        try:
            text, new = data_set.report()
        except RecordingsAbsent as absent:
            print(f"left out: {absent}", file=sys.stderr)
            continue
        print(text)
        print(f"{name} took {time.monotonic() - started_s:.0f} s", file=sys.stderr)
        lines.extend(new)
    if chosen and "false_repetitions" not in chosen:
        return lines
    outings: list[Outing] = []
    for data_set in WITHOUT_REPETITIONS.values():
        try:
            outings.extend(data_set.outings())
        except RecordingsAbsent as absent:
            print(f"left out: {absent}", file=sys.stderr)
    if outings:
        text, new = false_repetitions.report(outings)
        print(text)
        lines.extend(new)
    return lines
