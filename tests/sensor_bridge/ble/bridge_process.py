"""A small bridge: streams from the sensors at a port and writes each frame to a file before anything else."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from firmware_protocol.codec import decode_frame
from hardware_sim.radio_hci import attach_hci
from sensor_bridge.ble.accounting import SampleAccount
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.ble.supervisor import SensorSupervisor
from tests.sensor_bridge.ble.radio_bench import wish


def read_frames(path: Path) -> list[bytes]:
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [bytes.fromhex(line) for line in lines if line.endswith("\n")]


def take_up(path: Path) -> list[bytes]:
    """Read what an earlier process has written, and remove a line that its end has cut short."""
    known = read_frames(path)
    path.write_text("".join(each.hex() + "\n" for each in known))
    return known


async def stream(sensor_id: str, adapter: Adapter, lock: asyncio.Lock, path: Path) -> None:
    account = SampleAccount()
    for payload in take_up(path):
        account.add(decode_frame(payload))
    with path.open("a") as log:

        def keep(frame: ReceivedFrame) -> None:
            if frame.kind is FrameKind.DATA:
                log.write(frame.payload.hex() + "\n")
                log.flush()
                account.add(decode_frame(frame.payload))

        await SensorSupervisor(
            wish(sensor_id), adapter, lock, keep, lambda _state: None, account.resume_point
        ).run()


async def main(port: int, folder: Path) -> None:
    lock = asyncio.Lock()
    async with attach_hci(port) as radio, asyncio.TaskGroup() as tasks:
        adapter = Adapter(*radio.bleak_backends())
        for sensor_id in ("pelvis", "left"):
            tasks.create_task(stream(sensor_id, adapter, lock, folder / sensor_id))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
