"""A sensor that reboots in mid-set: the set goes on, the hole is told with its length, nothing is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from firmware_protocol.codec import encode
from firmware_protocol.packets import ImuFrame
from sensor_bridge.athlete_session import AthleteSession
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.config import AthleteConfig
from sensor_bridge.mqtt import payloads
from sensor_bridge.virtual_radio import rehearse

if TYPE_CHECKING:
    from pathlib import Path

    from hardware_sim.recording_source import SampleSource

UTC_NS = 1_700_000_000_000_000_000
BATCH = 10
AWAY_S = 1.2
FOUR = """
exercise = "romanian_deadlift"
repetitions = 4
lead_in_s = 3.5
lead_out_s = 3.0
[tempo]
eccentric_s = 2.0
bottom_s = 0.5
concentric_s = 1.0
top_s = 1.0
"""


def sent(source: SampleSource, reboot_s: float | None) -> list[ReceivedFrame]:
    """What a sensor sends; a reboot costs `AWAY_S` of samples, its stream and its clock."""
    elapsed_s = source.elapsed_s
    back = len(source) if reboot_s is None else int((elapsed_s < reboot_s + AWAY_S).sum())
    frames = []
    for first in range(0, len(source) - BATCH + 1, BATCH):
        is_rebooted = first >= back
        if reboot_s is not None and not is_rebooted and elapsed_s[first + BATCH - 1] >= reboot_s:
            continue
        origin = -(-back // BATCH) * BATCH if is_rebooted else 0
        boot_us = int(source.device_time_us[origin]) - 300_000 if is_rebooted else 0
        packet = ImuFrame(
            stream_id=2 if is_rebooted else 1,
            first_sample_index=first - origin,
            device_time_us=int(source.device_time_us[first]) - boot_us,
            sampling_rate=source.rate,
            accel_range=source.accel_range,
            gyro_range=source.gyro_range,
            clipped=False,
            gap_before=False,
            samples=source.counts[first : first + BATCH].astype("<i2").tobytes(),
        )
        arrival_ns = UTC_NS + round((elapsed_s[first + BATCH - 1] + 0.01) * 1e9)
        frames.append(ReceivedFrame(source.sensor_id, arrival_ns, FrameKind.DATA, encode(packet)))
    return frames


def test_the_set_goes_on_and_the_hole_is_said(tmp_path: Path) -> None:
    scenario = tmp_path / "four.toml"
    scenario.write_text(FOUR)
    playback, _, truth = rehearse(str(scenario), 3, None)
    first, hit, *rest = truth["repetitions"]
    middle_s = (hit["eccentric_start_s"] + hit["eccentric_end_s"]) / 2
    session = AthleteSession(
        AthleteConfig.model_validate({"id": "a1", "sensors": playback.worn_sensors}), "session"
    )
    frames = [
        frame
        for source in playback.sources
        for frame in sent(source, middle_s - AWAY_S / 2 if source.placement == "pelvis" else None)
    ]
    messages = [
        message
        for frame in sorted(frames, key=lambda frame: frame.arrival_ns)
        for message in session.take(frame)
    ]
    messages += session.finish()

    pelvis = next(source.sensor_id for source in playback.sources if source.placement == "pelvis")
    quality = session.quality(pelvis)
    assert quality.gaps == 1
    assert quality.lost_s == pytest.approx(AWAY_S, abs=2 * BATCH / 100)
    assert quality.rejected == 0

    # A second is bridged; of a repetition with a longer hole nobody can tell whether it was one.
    (lost,) = [message.data for message in messages if isinstance(message.data, payloads.FaultEvent)]
    assert lost.code == "repetition_aborted"
    assert lost.text.endswith("was not counted: data are missing")
    counted = {
        message.data.repetition: message.data
        for message in messages
        if isinstance(message.data, payloads.Repetition)
    }
    assert {each.set for each in counted.values()} == {1}
    for measured, true in zip((counted[1], counted[2], counted[3]), (first, *rest), strict=True):
        assert measured.eccentric_s == pytest.approx(true["eccentric_s"], abs=0.15)
    assert counted[1].top_pause_s is None
    assert counted[1].reasons["top_pause_s"] == "data are missing in the pause"
