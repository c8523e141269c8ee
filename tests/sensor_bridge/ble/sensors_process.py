"""Sensors in a process of their own; prints the port and, at the end, the truth."""

from __future__ import annotations

import asyncio
import hashlib

from hardware_sim.radio_hci import serve_hci
from tests.sensor_bridge.ble.radio_bench import QUICK, source


async def main() -> None:
    played = [source("pelvis", 500, seed=1), source("left", 500, seed=2)]
    async with serve_hci(played, 0, radio=QUICK) as (radio, port):
        print(port, *(hashlib.sha256(each.counts.tobytes()).hexdigest() for each in played), flush=True)
        await radio.playback_finished.wait()
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main())
