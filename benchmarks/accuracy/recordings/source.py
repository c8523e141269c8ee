"""Where recordings are looked for, and how samples become blocks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analytics.batch import analyse
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup
from benchmarks.accuracy.events import Verdicts, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from analytics.imu import FloatArray
    from analytics.prescription import Prescription

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

WALKING = ("walk", "jog", "stairs", "jump", "hop")


class RecordingsAbsent(Exception):  # noqa: N818
    """The data set is not there; the message names it."""


def folder(name: str) -> Path:
    """Folder of a data set.

    Raises
    ------
    RecordingsAbsent
        It is not there.
    """
    path = DATA / name
    if not path.is_dir():
        raise RecordingsAbsent(f"{name}: not in {DATA}")
    return path


def labelled(name: str) -> Iterator[tuple[str, str, str, float | None, pd.DataFrame]]:
    """Go through a labelled data set: subject, recording, exercise, repetitions if known, and samples."""
    path = folder(name)
    labels = pd.read_csv(path / "labels.csv")
    labels = labels[~labels["exercise"].str.contains("#")]
    for file in sorted(set(labels["file"])):
        by_recording = {str(name): part for name, part in pd.read_parquet(path / file).groupby("rec")}
        for label in labels[labels["file"] == file].to_dict("records"):
            recording, repetitions = str(label["rec"]), float(label["reps"])
            if recording in by_recording:
                yield (
                    str(label["subject"]),
                    recording,
                    str(label["exercise"]),
                    repetitions if math.isfinite(repetitions) else None,
                    by_recording[recording],
                )


def block_of(
    samples: pd.DataFrame,
    prefix: str,
    placement: Placement,
    rate_hz: float,
    *,
    start_ns: int = 0,
    gap_s: float = 0.0,
) -> ImuBlock | None:
    """Turn evenly sampled columns into one block; None where this sensor has no samples."""
    axes = [[f"{prefix}_{letter}{axis}" for axis in "xyz"] for letter in "ag"]
    if not set(axes[0]) <= set(samples.columns):
        return None
    has_gyroscope = set(axes[1]) <= set(samples.columns)
    acc = samples[axes[0]].to_numpy(np.float64)
    gyr = samples[axes[1]].to_numpy(np.float64) if has_gyroscope else np.zeros_like(acc)
    known = np.isfinite(acc).all(axis=1) & np.isfinite(gyr).all(axis=1)
    if np.count_nonzero(known) < rate_hz:
        return None
    first, last = np.flatnonzero(known)[[0, -1]]
    if not known[first : last + 1].all():
        return None
    return ImuBlock(
        placement=placement,
        start_time_ns=start_ns,
        sampling_rate_hz=rate_hz,
        acc_m_s2=acc[first : last + 1],
        gyr_rad_s=gyr[first : last + 1],
        gap_before_s=gap_s,
        has_gyroscope=has_gyroscope,
    )


def judged(
    blocks: Iterable[ImuBlock],
    prescription: Prescription | None = None,
    mounts: Mapping[Placement, Mount] | None = None,
) -> Verdicts:
    """Run blocks through a pipeline that knows no mount."""
    known = list(blocks)
    worn = mounts or {block.placement: Mount.UNKNOWN for block in known}
    return verdicts(analyse(known, AthleteSetup(dict(worn), prescription)))


def chained(parts: Sequence[ImuBlock], gap_s: float = 2.0) -> list[ImuBlock]:
    """Put recordings of one wearing behind one another, with holes between them."""
    blocks: list[ImuBlock] = []
    at_ns = 0
    for part in parts:
        blocks.append(
            ImuBlock(
                placement=part.placement,
                start_time_ns=at_ns,
                sampling_rate_hz=part.sampling_rate_hz,
                acc_m_s2=part.acc_m_s2,
                gyr_rad_s=part.gyr_rad_s,
                gap_before_s=gap_s if blocks else 0.0,
                has_gyroscope=part.has_gyroscope,
            )
        )
        at_ns += round((len(part) / part.sampling_rate_hz + gap_s) * 1e9)
    return blocks


def turned_deg(block: ImuBlock) -> float:
    """Largest inclination from the start by gravity alone (low-passed accelerations), degrees."""
    width = max(1, round(0.4 * block.sampling_rate_hz))
    kernel = np.ones(width) / width
    acc: FloatArray = np.stack([np.convolve(axis, kernel, mode="valid") for axis in block.acc_m_s2.T], axis=1)
    up = acc / np.linalg.norm(acc, axis=1)[:, None]
    start = np.mean(up[: round(0.5 * block.sampling_rate_hz)], axis=0)
    cosine = up @ (start / np.linalg.norm(start))
    return float(np.degrees(np.arccos(np.clip(np.min(cosine), -1.0, 1.0))))
