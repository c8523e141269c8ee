"""mex_thigh: bridges seen by one thigh accelerometer; labels were read by eye and are good to ±1."""

from __future__ import annotations

from analytics.exercises import Exercise
from analytics.imu import Placement
from analytics.prescription import Prescription
from benchmarks.accuracy.layout import Line, number, share, table
from benchmarks.accuracy.recordings.source import block_of, judged, labelled

RATE_HZ = 50.0


def report() -> tuple[str, list[Line]]:
    """Bridges counted, asked for or not."""
    rows = []
    right = {True: 0, False: 0}
    exact = {True: 0, False: 0}
    clips = 0
    for _, recording, exercise, labelled_count, samples in labelled("mex_thigh"):
        if exercise != "bridging_supine" or labelled_count is None:
            continue
        block = block_of(samples, "thigh", Placement.THIGH_RIGHT, RATE_HZ)
        if block is None:
            continue
        clips += 1
        counts = {}
        for is_asked in (True, False):
            outcome = judged([block], Prescription(Exercise.GLUTE_BRIDGE) if is_asked else None)
            counts[is_asked] = len(outcome.repetitions)
            right[is_asked] += abs(counts[is_asked] - labelled_count) <= 1
            exact[is_asked] += counts[is_asked] == labelled_count
        rows.append((recording, number(labelled_count, 0), counts[True], counts[False]))
    text = table(
        "mex_thigh, bridges, thigh accelerometer only", ("clip", "label", "asked", "nothing asked"), rows
    )
    line = Line(
        "bridges, thigh accelerometer only",
        "within ±1 in >= 95 % of clips",
        f"asked: {share(right[True], clips)}, exact {exact[True]}; not asked: {share(right[False], clips)}",
        bool(right[True] >= 0.95 * clips) if clips else None,
    )
    return text, [line]
