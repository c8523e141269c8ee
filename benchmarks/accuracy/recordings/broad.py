"""broad: inclination of a handheld sensor against optical orientation, live and measured again.

The sensor's samples come 4.2 ms after the optical orientation they belong to, in every trial alike: its
gyroscope agrees best with the turning of the reference that much earlier. At 500 degrees/s that is 2 degrees
of somebody else's clock, so the delay is measured and taken off; the figures without that are printed beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analytics.filters import low_pass_zero_phase
from analytics.imu import ImuBlock, Placement
from analytics.orientation import OrientationStage, remeasure
from analytics.quaternions import conjugate, multiply, up_in_sensor
from benchmarks.accuracy.layout import Line, number, table
from benchmarks.accuracy.recordings.source import folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.imu import FloatArray


HEADERS = ("trial", "delay of the sensor, ms", "live", "finished", "live, as stamped", "finished, as stamped")
_RATE_CUTOFF_HZ = 10.0


def report() -> tuple[str, list[Line]]:
    """RMSE of the inclination while moving."""
    rows = []
    errors: list[tuple[float, float, float, float]] = []
    for file in sorted(folder("broad").glob("*.parquet")):
        samples = pd.read_parquet(file)
        rate_hz = 1.0 / float(np.median(np.diff(samples["t"].to_numpy(np.float64))))
        block = ImuBlock(
            placement=Placement.PELVIS,
            start_time_ns=0,
            sampling_rate_hz=round(rate_hz, 3),
            acc_m_s2=samples[["imu_ax", "imu_ay", "imu_az"]].to_numpy(np.float64),
            gyr_rad_s=samples[["imu_gx", "imu_gy", "imu_gz"]].to_numpy(np.float64),
        )
        stage = OrientationStage(Placement.PELVIS)
        parts = [*stage.push(block), *stage.flush()]
        quats = np.concatenate([part.earth_from_sensor_wxyz for part in parts])
        last = parts[-1]
        again = remeasure(
            block.acc_m_s2,
            block.gyr_rad_s,
            block.sampling_rate_hz,
            bias_rad_s=last.bias_rad_s[-1],
            bias_sigma_rad_s=float(last.bias_sigma_rad_s[-1]),
        )
        reference = samples[["ref_qw", "ref_qx", "ref_qy", "ref_qz"]].to_numpy(np.float64)
        judged = samples["movement"].to_numpy(np.bool_) & np.isfinite(reference).all(axis=1)
        delay = _delay_samples(block, reference, judged)
        errors.append(
            (
                _inclination_rmse_deg(quats, reference, judged, delay),
                _inclination_rmse_deg(again, reference, judged, delay),
                _inclination_rmse_deg(quats, reference, judged, 0.0),
                _inclination_rmse_deg(again, reference, judged, 0.0),
            )
        )
        delay_ms = number(1e3 * delay / block.sampling_rate_hz, 1)
        rows.append((file.stem, delay_ms, *(number(error) for error in errors[-1])))
    means = [float(np.mean(of_one)) for of_one in zip(*errors, strict=True)]
    rows.append(("mean", "", *(number(mean) for mean in means)))
    live, finished = means[:2]
    text = table("broad, inclination RMSE while moving, degrees", HEADERS, rows)
    line = Line(
        "inclination, real (broad), live · finished, mean RMSE, deg",
        "<= 0.70 · 0.50",
        f"{number(live)} · {number(finished)} ({len(errors)} trials; "
        f"as stamped {number(means[2])} · {number(means[3])})",
        bool(live <= 0.70 and finished <= 0.50),
    )
    return text, [line]


def _delay_samples(block: ImuBlock, reference_wxyz: FloatArray, judged: NDArray[np.bool_]) -> float:
    """Tell how many samples the gyroscope is behind the turning of the reference."""
    rate_hz = block.sampling_rate_hz
    step = multiply(conjugate(reference_wxyz[:-2]), reference_wxyz[2:])
    turning = np.zeros_like(block.gyr_rad_s)
    turning[1:-1] = step[:, 1:] * np.sign(step[:, :1]) * rate_hz
    usable = judged & np.isfinite(turning).all(axis=1)
    usable[1:-1] &= judged[:-2] & judged[2:]
    turning = low_pass_zero_phase(np.where(np.isfinite(turning), turning, 0.0), _RATE_CUTOFF_HZ, rate_hz)
    sensed = low_pass_zero_phase(block.gyr_rad_s, _RATE_CUTOFF_HZ, rate_hz)
    delay = 0.0
    for _ in range(3):
        seen = _at_samples(sensed, np.arange(len(sensed)) + delay)
        slope = np.gradient(seen, axis=0)[usable]
        missing = (turning - seen)[usable]
        missing -= np.mean(missing, axis=0)
        delay += float(np.sum(slope * missing) / np.sum(slope**2))
    return delay


def _at_samples(values: FloatArray, at: FloatArray) -> FloatArray:
    """Read values (n, 3) between samples by straight lines."""
    samples = np.arange(len(values))
    return np.stack([np.interp(at, samples, column) for column in values.T], axis=1)


def _inclination_rmse_deg(
    measured_wxyz: FloatArray, true_wxyz: FloatArray, judged: NDArray[np.bool_], delay: float
) -> float:
    up = _at_samples(up_in_sensor(measured_wxyz), np.arange(len(measured_wxyz)) + delay)
    cosine = np.sum(up * up_in_sensor(true_wxyz), axis=1)[judged] / np.linalg.norm(up, axis=1)[judged]
    return float(np.sqrt(np.mean(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))) ** 2)))
