"""broad: inclination of a handheld sensor against optical orientation, live and measured again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.imu import ImuBlock, Placement
from analytics.orientation import OrientationStage, remeasure
from analytics.quaternions import up_in_sensor
from benchmarks.accuracy.layout import Line, number, table
from benchmarks.accuracy.recordings.source import folder


def report() -> tuple[str, list[Line]]:
    """RMSE of the inclination while moving."""
    rows, live, finished = [], [], []
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
        live.append(_inclination_rmse_deg(quats[judged], reference[judged]))
        finished.append(_inclination_rmse_deg(again[judged], reference[judged]))
        rows.append((file.stem, number(live[-1]), number(finished[-1])))
    rows.append(("mean", number(float(np.mean(live))), number(float(np.mean(finished)))))
    text = table("broad, inclination RMSE while moving, degrees", ("trial", "live", "finished"), rows)
    line = Line(
        "inclination, real (broad), live · finished, mean RMSE, deg",
        "<= 0.70 · 0.50",
        f"{number(float(np.mean(live)))} · {number(float(np.mean(finished)))} ({len(live)} trials)",
        bool(np.mean(live) <= 0.70 and np.mean(finished) <= 0.50),
    )
    return text, [line]


def _inclination_rmse_deg(measured_wxyz: np.ndarray, true_wxyz: np.ndarray) -> float:
    cosine = np.sum(up_in_sensor(measured_wxyz) * up_in_sensor(true_wxyz), axis=1)
    return float(np.sqrt(np.mean(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))) ** 2)))
