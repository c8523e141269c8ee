"""``hipline sensors log``: what a sensor has stored; download and erase."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from analytics.imu import Mount, Placement
from firmware_protocol.codec import encode
from sensor_bridge.ble.flash_log import FlashState, StoredStream, erase, fetch, survey
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.commands.output_files import check_outputs
from sensor_bridge.commands.sensor_access import hipline_linked, step
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import UserInputError
from sensor_bridge.recording.export import export_trace
from sensor_bridge.recording.frame_log import FrameLogWriter
from sensor_bridge.recording.trace import write_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firmware_protocol.packets import DeviceInfo, ImuFrame
    from sensor_bridge.ble.hipline_link import HiplineLink
    from sensor_bridge.config import Config

_NS_PER_US: Final = 1000
_PERCENT: Final = 100.0


@dataclass(frozen=True, slots=True)
class Download:
    """What is to be fetched.

    Parameters
    ----------
    out
        Where the recording goes.
    stream_id
        Which stream; None for the newest.
    placement
        Where the sensor was worn; None for what the configuration says.
    """

    out: Path
    stream_id: int | None
    placement: Placement | None


def log(
    word: str,
    download: Download | None,
    config_path: Path | None,
    virtual_port: int | None,
    *,
    erase_all: bool,
) -> None:
    """Print what is stored; fetch a stream; erase.

    Raises
    ------
    UserInputError
        No such stream, nobody knows where the sensor was worn, or the recording cannot be written.
    BridgeError
        The sensor is not there, has no flash, or refuses.
    """
    config = load_config(config_path)
    if download is not None:
        check_outputs([download.out], source=word)
        download = Download(download.out, download.stream_id, download.placement or _worn(word, config))
    asyncio.run(_log(word, download, config, virtual_port, erase_all))


async def _log(
    word: str, download: Download | None, config: Config, virtual_port: int | None, erase_all: bool
) -> None:
    console = Console(highlight=False)
    async with hipline_linked(word, config, virtual_port) as link:
        state = await survey(link)
        _print_state(console, link, state)
        if download is not None:
            stream = _chosen(state, download.stream_id)
            with _shown(stream) as tell:
                frames = await fetch(link, stream, tell)
            n_samples = _write(frames, download, link.info)
            missing = stream.n_samples - n_samples
            gone = f"; {missing} samples did not come" if missing > 0 else ""
            console.print(
                f"{download.out}: {n_samples} samples of stream {stream.stream_id}{gone}.",
                markup=False,
                soft_wrap=True,
            )
            if erase_all and (missing > 0 or len(state.streams) > 1):
                raise UserInputError(
                    f"{word} holds {state.stored_samples} samples and {n_samples} were downloaded: nothing "
                    "was erased; download the rest with --stream, then say --erase alone"
                )
        if erase_all:
            with step("erasing ..."):
                await erase(link)
            console.print(f"{printable(word)} has forgotten what it had stored.", markup=False)


def _worn(word: str, config: Config) -> Placement:
    for athlete in config.athletes:
        for sensor in athlete.sensors:
            if word in (sensor.id, sensor.address, sensor.name):
                return sensor.placement
    choices = ", ".join(Placement)
    raise UserInputError(f"where was {word} worn? add --placement with one of {choices}")


def _chosen(state: FlashState, stream_id: int | None) -> StoredStream:
    if not state.streams:
        raise UserInputError("nothing is stored: there is nothing to download")
    if stream_id is None:
        return state.streams[-1]
    for stream in state.streams:
        if stream.stream_id == stream_id:
            return stream
    stored = ", ".join(str(stream.stream_id) for stream in state.streams)
    raise UserInputError(f"no stream {stream_id} is stored; there are {stored}")


def _print_state(console: Console, link: HiplineLink, state: FlashState) -> None:
    used = _PERCENT * state.stored_samples / state.capacity_samples if state.capacity_samples else 0.0
    console.print(
        f"{printable(link.info.serial)}: {state.stored_samples} of {state.capacity_samples} samples stored "
        f"({used:.0f} % full).",
        markup=False,
        soft_wrap=True,
    )
    if state.streams:
        table = Table("stream", "first sample", "last sample", "samples")
        for stream in state.streams:
            row = (
                stream.stream_id,
                stream.first_sample_index,
                stream.end_sample_index - 1,
                stream.n_samples,
            )
            table.add_row(*map(str, row))
        console.print(table)


def _write(frames: list[ImuFrame], download: Download, info: DeviceInfo) -> int:
    """Write a recording by way of a frame log: the bytes are read as those of a session are.

    INFO says whose they are, so that its calibration is found. When they were made, in UTC, nobody knows.
    """
    placement = download.placement or Placement.PELVIS
    with TemporaryDirectory() as folder:
        path = Path(folder) / "flash.hlog"
        writer = FrameLogWriter(path)
        try:
            writer.append(ReceivedFrame("flash", 0, FrameKind.INFO, encode(info)))
            for frame in frames:
                # Nobody heard them arrive: the sensor's own clock is all the time there is.
                writer.append(
                    ReceivedFrame("flash", frame.device_time_us * _NS_PER_US, FrameKind.DATA, encode(frame))
                )
        finally:
            writer.close()
        trace = export_trace(path, {"flash": placement}, mounts={placement: Mount.UNKNOWN})
    write_trace(download.out, replace(trace, started_at=None))
    return sum(frame.n_samples for frame in frames)


@contextmanager
def _shown(stream: StoredStream) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("fetching"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("fetching", total=stream.n_samples)
        yield lambda n_samples: bar.update(task, completed=n_samples)
