"""``hipline sensors info`` and ``identify``: what a sensor says of itself, and which one it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.console import Console

from sensor_bridge.ble.settings import ACCEL_G, GYRO_DPS
from sensor_bridge.commands.sensor_access import hipline_linked, linked
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.config_file import load_config
from sensor_bridge.recording.sensor_calibrations import read_calibrations

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.config import Config


def info(word: str, config_path: Path | None, virtual_port: int | None) -> None:
    """Print what a sensor says of itself.

    Raises
    ------
    BridgeError
        It is not there, or does not answer.
    """
    rows = asyncio.run(_info(word, load_config(config_path), virtual_port))
    console = Console(highlight=False)
    for name, value in rows:
        console.print(f"{name:<22}{printable(value)}", markup=False, soft_wrap=True)


def identify(word: str, duration_s: int, config_path: Path | None, virtual_port: int | None) -> None:
    """Make a sensor blink.

    Raises
    ------
    BridgeError
        It is not there, or does not answer.
    """
    asyncio.run(_identify(word, duration_s, load_config(config_path), virtual_port))
    Console(highlight=False).print(f"{printable(word)} blinks for {duration_s} s.", markup=False)


async def _info(word: str, config: Config, virtual_port: int | None) -> list[tuple[str, str]]:
    async with hipline_linked(word, config, virtual_port) as link:
        told, status = link.info, await link.read_status()
        calibration = read_calibrations(config.data_folder).get(told.serial)
        rates = ", ".join(f"{rate.hz:g}" for rate in told.rates)
        return [
            ("serial number", told.serial),
            ("firmware", ".".join(str(part) for part in told.firmware_version)),
            ("hardware revision", str(told.hardware_revision)),
            ("protocol version", str(told.protocol_version)),
            ("sampling rates", f"{rates} Hz"),
            ("accelerometer", f"± {', '.join(str(ACCEL_G[each]) for each in told.accel_ranges)} g"),
            ("gyroscope", f"± {', '.join(str(GYRO_DPS[each]) for each in told.gyro_ranges)} °/s"),
            ("batch", f"1 to {told.max_batch} samples a packet"),
            ("remembers", f"{told.ring_capacity_samples} samples while the link is down"),
            ("battery", f"{status.battery_percent} %, {status.battery_mv} mV"),
            ("temperature", f"{status.temperature_c:.1f} °C"),
            ("connection interval", f"{status.connection_interval_ms:g} ms"),
            ("lost in its queue", f"{status.overflow_count} frames"),
            ("corrected by", calibration.words if calibration else "nothing: hipline sensors calibrate"),
            ("streaming", f"yes, stream {status.stream_id}" if status.is_streaming else "no"),
        ]


async def _identify(word: str, duration_s: int, config: Config, virtual_port: int | None) -> None:
    async with linked(word, config, virtual_port) as link:
        await link.identify(duration_s)
