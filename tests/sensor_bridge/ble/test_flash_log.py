"""What a sensor stored while nobody listened: surveyed, fetched whole, written as a recording, erased."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.imu import Placement
from hardware_sim.radio import VirtualRadio
from hardware_sim.sensor_model import SensorModel
from sensor_bridge.ble import flash_log
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.flash_log import StoredStream, erase, fetch, survey
from sensor_bridge.ble.hipline_link import connect
from sensor_bridge.commands.sensors_log import Download, _write
from sensor_bridge.errors import CommandRefused, LinkLost, WrongFirmware
from sensor_bridge.host_clock import HostClock
from sensor_bridge.recording.trace import read_trace
from tests.sensor_bridge.ble.radio_bench import QUICK, source, wish

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime

# At ±4 g 8192 counts are one g: a sensor that lies still.
LYING = np.array([0, 0, 8192, 0, 0, 0], dtype=np.int16)
PLAYED = replace(
    source(n=300),
    counts=np.random.default_rng(4).integers(-40, 40, (300, 6)).astype(np.int16) + LYING,
)


def sensor_radio(flash: int) -> VirtualRadio:
    return VirtualRadio([PLAYED], radio=QUICK, model=SensorModel(flash_capacity_samples=flash))


async def link_to(radio: VirtualRadio):
    adapter = Adapter(*radio.bleak_backends())
    found = await adapter.find(wish("pelvis"), 5)
    return connect(adapter, found, wish("pelvis"), HostClock(), timeout_s=10)


async def test_what_was_measured_without_a_link_is_fetched_and_erased(tmp_path: Path) -> None:
    async with sensor_radio(10_000) as radio:
        async with await link_to(radio) as link:
            stream_id = await link.start(None)
        await asyncio.wait_for(radio.playback_finished.wait(), 20)  # nobody was connected

        async with await link_to(radio) as link:
            state = await survey(link)
            assert state.streams == (StoredStream(stream_id, 0, 300),)
            assert state.stored_samples == 300
            assert 9_500 < state.capacity_samples <= 10_000  # whole flash pages
            told: list[int] = []
            frames = await fetch(link, state.streams[0], told.append)
            assert told[-1] == 300
            values = np.concatenate([np.frombuffer(frame.samples, "<i2").reshape(-1, 6) for frame in frames])
            np.testing.assert_array_equal(values, PLAYED.counts)

            out = tmp_path / "stored.parquet"
            assert _write(frames, Download(out, None, Placement.PELVIS), link.info) == 300
            trace = read_trace(out)
            assert trace.started_at is None
            assert [origin.serial for origin in trace.origins.values()] == ["pelvis"]
            assert trace.t_s[-1] == pytest.approx(2.99, abs=0.02)
            np.testing.assert_allclose(
                trace.sensors[Placement.PELVIS].acc_m_s2[:50],
                PLAYED.counts[:50, :3] * 0.00119710083,  # ±4 g, docs/protocol.md
                atol=1e-4,
            )

            with pytest.raises(CommandRefused, match="hipline sensors configure pelvis --stop"):
                await erase(link)
            await link.stop()
            await erase(link)
            assert (await survey(link)).streams == ()


async def test_a_sensor_without_flash_says_so() -> None:
    async with sensor_radio(0) as radio, await link_to(radio) as link:
        with pytest.raises(WrongFirmware, match="has no flash"):
            await survey(link)


async def test_a_flash_that_falls_silent_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flash_log, "_SILENT_S", 0.5)
    async with sensor_radio(10_000) as radio, await link_to(radio) as link:

        async def swallow(_request: object) -> None:
            return

        monkeypatch.setattr(link, "ask_flash", swallow)
        with pytest.raises(LinkLost, match="its flash fell silent after 0 samples; ask again"):
            await fetch(link, StoredStream(1, 0, 100), lambda _n: None)
