"""``hipline sensors update``: new firmware for a sensor, by radio."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sensor_bridge.commands.sensor_access import asked_sensor, chosen_adapter
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.config_file import load_config
from sensor_bridge.firmware_file import read_firmware
from sensor_bridge.firmware_update import FirmwareUpdate
from sensor_bridge.host_clock import HostClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sensor_bridge.config import Config
    from sensor_bridge.firmware_file import FirmwareFile
    from sensor_bridge.firmware_update import UpdateProgress


def update(
    word: str, image: Path, key: Path | None, config_path: Path | None, virtual_port: int | None
) -> None:
    """Bring a firmware image onto a sensor, and say what runs then.

    Raises
    ------
    UserInputError
        The image is none, is damaged, or is not signed by the key.
    BridgeError
        The sensor is not there, or keeps what it had.
    """
    firmware = read_firmware(image, key)
    is_new = asyncio.run(_update(word, firmware, load_config(config_path), virtual_port))
    said = "runs and has confirmed" if is_new else "runs already"
    Console(highlight=False).print(
        f"{printable(word)} {said} firmware {firmware.version_text}.", markup=False, soft_wrap=True
    )


async def _update(word: str, firmware: FirmwareFile, config: Config, virtual_port: int | None) -> bool:
    sensor = asked_sensor(word, config)
    async with chosen_adapter(config, virtual_port) as adapter:
        with _shown() as tell:
            return await FirmwareUpdate(adapter, sensor, HostClock(), firmware, tell).run()


@contextmanager
def _shown() -> Iterator[Callable[[UpdateProgress], None]]:
    """Show a bar on a terminal; elsewhere a line for every new step."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        said: list[str] = []

        def tell_line(progress: UpdateProgress) -> None:
            if said[-1:] != [progress.step]:
                said.append(progress.step)
                console.print(
                    f"{progress.step} ({progress.sent} of {progress.size} bytes)",
                    markup=False,
                    soft_wrap=True,
                )

        yield tell_line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("connecting", total=None)
        yield lambda progress: bar.update(
            task, description=progress.step, completed=progress.sent, total=progress.size
        )
