"""``hipline sensors calibrate`` with a virtual sensor that somebody lays on its six sides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import pytest

from firmware_protocol.codec import encode
from firmware_protocol.packets import AccelRange, GyroRange, ImuFrame, SamplingRate
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.ble.settings import StreamSettings
from sensor_bridge.commands import sensors_calibrate
from sensor_bridge.commands.sensor_access import AskedSensor
from sensor_bridge.errors import BridgeError, LinkLost
from sensor_bridge.recording.sensor_calibrations import read_calibrations
from tests.sensor_bridge.commands.virtual_clips import hipline, virtual_clips

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.mark.realtime
def test_six_positions_and_a_check_make_a_calibration(tmp_path: Path) -> None:
    config = tmp_path / "gym.toml"
    config.write_text('data_folder = "data"\n')
    with virtual_clips("six_positions", "--duration", "9") as port:
        outcome = hipline(
            *("sensors", "calibrate", "Hipline clip-a", "--still", "0.6"),
            *("-c", str(config), "--virtual-port", port),
        )
    assert outcome.returncode == 0, outcome.stderr
    assert "1 of 6: on its left edge, right edge up (+x up, " in outcome.stderr
    assert "6 of 6: on its face" in outcome.stderr
    assert "Now lean it against something" in outcome.stderr
    calibration = read_calibrations(tmp_path / "data")["clip-a"]
    assert calibration.residual_m_s2 < calibration.uncorrected_m_s2
    assert calibration.temperature_c == 31.5
    assert f"gravity when leaning  off by {calibration.residual_m_s2:.3f} m/s²" in outcome.stdout
    assert str(tmp_path / "data" / "calibrations" / "clip-a.json") in outcome.stdout


class ScriptedLink:
    """A link that yields what it was given and then ends, or stays silent."""

    def __init__(self, frames: list[ReceivedFrame], *, ends: bool = True) -> None:
        self.sensor = AskedSensor("hip", None)
        self.settings = StreamSettings(SamplingRate.HZ10, AccelRange.G8, GyroRange.DPS1000, 10)
        self._frames, self._ends = frames, ends

    async def frames(self) -> AsyncIterator[ReceivedFrame]:
        for frame in self._frames:
            yield frame
        if not self._ends:
            await asyncio.Event().wait()


def lying(seconds: int, *, lost: int = -1) -> list[ReceivedFrame]:
    """Ten samples a second of a sensor on its back; second `lost` is missing."""
    counts = np.zeros((10, 6), dtype="<i2")
    counts[:, 2] = 4096  # 1 g at ±8 g
    return [
        ReceivedFrame(
            "hip",
            0,
            FrameKind.DATA,
            encode(
                ImuFrame(
                    stream_id=1,
                    first_sample_index=10 * second,
                    device_time_us=1_000_000 * second,
                    sampling_rate=SamplingRate.HZ10,
                    accel_range=AccelRange.G8,
                    gyro_range=GyroRange.DPS1000,
                    clipped=False,
                    gap_before=False,
                    samples=counts.tobytes(),
                )
            ),
        )
        for second in range(seconds)
        if second != lost
    ]


async def guide(link: ScriptedLink) -> None:
    await sensors_calibrate._guide(link, 3.0)  # type: ignore[arg-type]


async def test_a_sensor_that_nobody_turns_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BridgeError, match="no new position for 120 s; nothing was stored"):
        await guide(ScriptedLink(lying(130)))
    assert capsys.readouterr().err.count("1 of 6: on its back, face up (+z up, 9.807 m/s²)") == 1


async def test_a_hole_in_the_samples_is_not_stillness(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LinkLost, match="the link was lost; nothing was stored"):
        await guide(ScriptedLink(lying(5, lost=2)))
    assert "1 of 6" not in capsys.readouterr().err


async def test_garbled_packets_are_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    garbled = ReceivedFrame("hip", 0, FrameKind.DATA, b"\x11\xff")
    with pytest.raises(LinkLost):
        await guide(ScriptedLink([garbled, *lying(4)]))
    assert "1 of 6" in capsys.readouterr().err


async def test_a_silent_sensor_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensors_calibrate, "_SILENCE_S", 0.05)
    with pytest.raises(LinkLost, match="hip: sends no samples; nothing was stored"):
        await guide(ScriptedLink(lying(2), ends=False))
