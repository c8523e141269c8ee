"""A bridge process that is killed in mid-stream, over a radio in another process."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.codec import decode_frame
from hardware_sim.errors import HardwareSimError
from hardware_sim.radio_hci import attach_hci, serve_hci
from tests.sensor_bridge.ble.bridge_process import read_frames
from tests.sensor_bridge.ble.radio_bench import QUICK, source

REPOSITORY = Path(__file__).resolve().parents[3]


def start(module, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.sensor_bridge.ble.{module}", *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for_samples(path, least, timeout_s):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        frames = [decode_frame(each) for each in read_frames(path)]
        if frames and frames[-1].first_sample_index + frames[-1].n_samples >= least:
            return
        time.sleep(0.05)
    pytest.fail(f"{path.name}: fewer than {least} samples within {timeout_s} s")


@pytest.mark.realtime
def test_killed_in_mid_stream_and_started_again_it_lacks_no_sample(tmp_path):
    sensors = start("sensors_process")
    bridge = None
    try:
        port, *digests = sensors.stdout.readline().split()
        bridge = start("bridge_process", port, str(tmp_path))
        wait_for_samples(tmp_path / "pelvis", 100, 40)
        bridge.send_signal(signal.SIGKILL)
        bridge.communicate()
        bridge = start("bridge_process", port, str(tmp_path))
        for sensor_id in ("pelvis", "left"):
            wait_for_samples(tmp_path / sensor_id, 500, 40)
    finally:
        for process in (bridge, sensors):
            if process is not None:
                process.kill()
                process.communicate()
    for sensor_id, digest in zip(("pelvis", "left"), digests, strict=True):
        frames = [decode_frame(each) for each in read_frames(tmp_path / sensor_id)]
        assert len({each.stream_id for each in frames}) == 1
        assert not any(each.gap_before for each in frames)
        rows = {}
        for each in frames:
            for offset, row in enumerate(np.frombuffer(each.samples, "<i2").reshape(-1, 6)):
                rows[each.first_sample_index + offset] = row
        assert sorted(rows) == list(range(500))
        counts = np.array([rows[index] for index in range(500)])
        assert hashlib.sha256(counts.tobytes()).hexdigest() == digest


async def test_a_port_without_radio_is_named():
    async with serve_hci([source()], 0, radio=QUICK) as (_, port):
        pass
    with pytest.raises(HardwareSimError, match=f"no virtual radio at port {port}"):
        async with attach_hci(port):
            pass


async def test_a_port_in_use_is_named():
    async with serve_hci([source()], 0, radio=QUICK) as (_, port):
        with pytest.raises(HardwareSimError, match=f"port {port} cannot be opened"):
            async with serve_hci([source("left")], port, radio=QUICK):
                pass


async def test_a_radio_has_one_host_at_a_time():
    async with serve_hci([source()], 0, radio=QUICK) as (_, port):
        async with attach_hci(port):
            with pytest.raises(HardwareSimError, match="is another bridge using it"):
                async with attach_hci(port):
                    pass
        await asyncio.sleep(0.05)
        async with attach_hci(port) as free_again:
            assert free_again.bleak_backends()
