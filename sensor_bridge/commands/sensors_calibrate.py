"""``hipline sensors calibrate``: bias and scale of one sensor, from six positions and a check, guided."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.console import Console

from analytics.errors import ImplausibleCalibration
from analytics.six_positions import (
    Askew,
    CalibrationFound,
    Measured,
    PositionEvent,
    Repeated,
    Side,
    SixPositions,
    SixPositionsParameters,
)
from firmware_protocol.errors import ProtocolError
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.settings import ACCEL_G, GYRO_DPS
from sensor_bridge.commands.sensor_access import hipline_linked
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import BridgeError, LinkLost
from sensor_bridge.recording.sensor_calibrations import SensorCalibration, store_calibration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from rich.status import Status

    from sensor_bridge.ble.hipline_link import HiplineLink
    from sensor_bridge.ble.samples import SampleRun
    from sensor_bridge.config import Config

_PATIENCE_S: Final = 120.0
_SILENCE_S: Final = 10.0
_WORDS: Final = {
    Side.Z_UP: "on its back, face up",
    Side.Z_DOWN: "on its face",
    Side.Y_UP: "upright, top edge up",
    Side.Y_DOWN: "on its head, top edge down",
    Side.X_UP: "on its left edge, right edge up",
    Side.X_DOWN: "on its right edge, left edge up",
}


def calibrate(word: str, still_s: float, config_path: Path | None, virtual_port: int | None) -> None:
    """Guide the user through the positions, and store what is found for this sensor.

    Parameters
    ----------
    word
        What the user calls the sensor.
    still_s
        How long each position is held, s.
    config_path
        Of the bridge; None: the user's own.
    virtual_port
        Port of a virtual radio, if one is to be used.

    Raises
    ------
    BridgeError
        The sensor is not there, the user gave up, or the result cannot be right; nothing is stored.
    """
    config = load_config(config_path)
    try:
        calibration = asyncio.run(_calibrate(word, still_s, config, virtual_port))
    except ImplausibleCalibration as error:
        raise BridgeError(f"{word}: {error}; nothing was stored, begin again") from error
    path = store_calibration(config.data_folder, calibration)
    console = Console(highlight=False)
    degrees = np.degrees(calibration.gyr_bias_rad_s)
    for name, values, unit in (
        ("accelerometer bias", [f"{value:+.3f}" for value in calibration.acc_bias_m_s2], "m/s²"),
        ("accelerometer scale", [f"{value:.4f}" for value in calibration.acc_scale], ""),
        ("gyroscope bias", [f"{value:+.2f}" for value in degrees], "°/s"),
    ):
        console.print(f"{name:<22}{'  '.join(values)}  {unit}".rstrip(), markup=False)
    console.print(
        f"{'gravity when leaning':<22}off by {calibration.residual_m_s2:.3f} m/s², "
        f"uncorrected by {calibration.uncorrected_m_s2:.3f} m/s²",
        markup=False,
    )
    if calibration.residual_m_s2 >= calibration.uncorrected_m_s2:
        console.print(f"{'':<22}no better than without: its axes may leak into each other", markup=False)
    console.print(f"{'temperature':<22}{calibration.temperature_c:.1f} °C", markup=False)
    console.print(f"stored for {printable(calibration.serial)} in {path}", markup=False, soft_wrap=True)


async def _calibrate(
    word: str, still_s: float, config: Config, virtual_port: int | None
) -> SensorCalibration:
    async with hipline_linked(word, config, virtual_port) as link:
        await link.start(None)
        try:
            found = await _guide(link, still_s)
            status = await link.read_status()
        finally:
            await _stop(link)
        return SensorCalibration(
            serial=link.info.serial,
            made_at=datetime.now(UTC).replace(microsecond=0),
            temperature_c=status.temperature_c,
            firmware=".".join(str(part) for part in link.info.firmware_version),
            accel_range_g=ACCEL_G[link.settings.accel_range],
            gyro_range_dps=GYRO_DPS[link.settings.gyro_range],
            acc_bias_m_s2=_vector(found.calibration.acc_bias_m_s2),
            acc_scale=_vector(found.calibration.acc_scale),
            gyr_bias_rad_s=_vector(found.calibration.gyr_bias_rad_s),
            residual_m_s2=found.residual_m_s2,
            uncorrected_m_s2=found.uncorrected_m_s2,
            gyr_spread_rad_s=found.gyr_spread_rad_s,
        )


async def _stop(link: HiplineLink) -> None:
    try:
        await link.stop()
    except LinkLost:
        return  # what is said of the reason says more


async def _guide(link: HiplineLink, still_s: float) -> CalibrationFound:
    """Take samples until all is found, saying what is noticed and what comes next."""
    stage = SixPositions(link.settings.sampling_rate.hz, SixPositionsParameters(still_s=still_s))
    console = Console(stderr=True, highlight=False)
    console.print(
        "Lay the sensor on each of its six sides, in any order, on a table or against a box. "
        f"Let go of it: each is measured once it has been still for {still_s:g} s.",
        soft_wrap=True,
    )
    with console.status("") if console.is_terminal else nullcontext() as status:
        return await _follow(link, stage, console, status)


async def _follow(
    link: HiplineLink, stage: SixPositions, console: Console, status: Status | None
) -> CalibrationFound:
    waited_s, expected = 0.0, None
    async for run in _runs(link):
        if status is not None:
            left_s = _PATIENCE_S - waited_s
            status.update(f"{6 - len(stage.missing)} of 6 sides measured, {left_s:.0f} s for the next ...")
        position = (run.stream_id, run.first_sample_index)
        if expected is not None and position != expected:
            stage.interrupt()
        expected = (run.stream_id, run.first_sample_index + run.n_samples)
        waited_s += run.n_samples / run.sampling_rate_hz
        for event in stage.push(run.acc_m_s2, run.gyr_rad_s):
            if isinstance(event, CalibrationFound):
                return event
            if isinstance(event, Measured):
                waited_s = 0.0
            console.print(_words(event, stage.missing), markup=False, soft_wrap=True)
        if waited_s > _PATIENCE_S:
            raise BridgeError(f"no new position for {_PATIENCE_S:g} s; nothing was stored, begin again")
    raise LinkLost(f"{link.sensor.sensor_id}: the link was lost; nothing was stored, begin again")


async def _runs(link: HiplineLink) -> AsyncIterator[SampleRun]:
    """Yield what the sensor measures.

    Raises
    ------
    LinkLost
        It sends no samples though the link is up.
    """
    decoder, frames = FrameDecoder(), aiter(link.frames())
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SILENCE_S
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                frame = await anext(frames, None)
        except TimeoutError:
            raise LinkLost(
                f"{link.sensor.sensor_id}: sends no samples; nothing was stored, begin again"
            ) from None
        if frame is None:
            return
        try:
            runs = decoder.push(frame)
        except ProtocolError:
            continue  # a hole, which the numbers of the next samples show
        for run in runs:
            deadline = loop.time() + _SILENCE_S
            yield run


def _words(event: PositionEvent, missing: tuple[Side, ...]) -> str:
    match event:
        case Measured(side, position, n_missing):
            length = float(np.linalg.norm(position.acc_m_s2))
            text = f"  {6 - n_missing} of 6: {_WORDS[side]} ({side} up, {length:.3f} m/s²). "
            if n_missing:
                return text + f"Missing: {'; '.join(_WORDS[each] for each in missing)}."
            return text + "Now lean it against something, tilted to all sides: this checks the result."
        case Repeated(side):
            return f"  It is {_WORDS[side]} again, which is measured already: turn it to another side."
        case Askew(side, off_deg) if missing:
            return f"  It leans by {off_deg:.0f}° from {_WORDS[side]}: lay it flat on that side, or another."
        case Askew(side, off_deg):
            return f"  It is {_WORDS[side]}, {off_deg:.0f}° off: for the check lean it by 30° or more."
        case CalibrationFound():
            return "  Checked."


def _vector(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
