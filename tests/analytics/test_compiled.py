"""Compiled loops: never at start-up, never twice, and also where nothing can be kept."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numba
import numpy as np
import pytest
from numba import types
from scipy.signal import butter, sosfiltfilt

from analytics.compiled import compiled, read, written
from analytics.filters import low_pass_zero_phase


def twice(values: Any, out: Any) -> None:
    for index in range(len(values)):
        out[index] = 2.0 * values[index]


def test_a_compiled_loop_takes_arrays_as_they_lie_in_memory() -> None:
    double = compiled(read(np.float64), written(np.float64))(twice)
    values = np.arange(12.0)
    values.setflags(write=False)
    out = np.empty(4)
    double(values[::3], out)
    assert out.tolist() == [0.0, 6.0, 12.0, 18.0]
    assert len(double.signatures) == 1


def test_a_compiled_loop_refuses_what_it_was_not_compiled_for() -> None:
    double = compiled(read(np.float64), written(np.float64))(twice)
    with pytest.raises(TypeError, match="No matching definition"):
        double(np.arange(4, dtype=np.int64), np.empty(4))


def test_where_nothing_can_be_kept_every_process_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def without_a_folder(*arguments: Any, cache: bool, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*arguments, cache=False, **options)

    monkeypatch.setattr(numba, "njit", without_a_folder)
    half = compiled(types.float64)(lambda value: 0.5 * value)
    assert half(3.0) == 1.5


def test_numba_is_not_imported_before_the_first_sample() -> None:
    code = (
        "import sys, sensor_bridge.cli\n"
        "from analytics.batch import analyse\n"
        "from analytics.imu import Mount, Placement\n"
        "from analytics.pipeline import AthleteSetup, MotionPipeline\n"
        "MotionPipeline(AthleteSetup({Placement.PELVIS: Mount.UNKNOWN}))\n"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("shape", [(500,), (500, 3), (7, 2), (1,)])
def test_filtering_both_ways_is_what_scipy_does(shape: tuple[int, ...]) -> None:
    samples = np.random.default_rng(1).standard_normal(shape).cumsum(axis=0)
    sos = butter(2, 5.0, fs=100.0, output="sos")
    expected = sosfiltfilt(sos, samples, axis=0, padlen=min(20, len(samples) - 1))
    np.testing.assert_allclose(low_pass_zero_phase(samples, 5.0, 100.0), expected, rtol=0, atol=1e-12)
