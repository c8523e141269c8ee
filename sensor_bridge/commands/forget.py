"""``hipline forget``: delete all that is kept of an athlete, here and on the broker."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from sensor_bridge.archive.forgetting import Forgotten, Kept, forget, kept_of
from sensor_bridge.config_file import default_config_path, load_config
from sensor_bridge.errors import BrokerRefused, BrokerUnavailable, UserInputError
from sensor_bridge.mqtt.forgotten import ForgottenMark, clear_retained, keep_marks, read_marks
from sensor_bridge.mqtt.topics import Topics, checked_id
from sensor_bridge.mqtt_access import open_broker
from sensor_bridge.report.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.config import Config

_LONGEST_WAIT_S = 5.0


def run(athlete: str, *, is_sure: bool, config_path: Path | None) -> None:
    """Delete it after asking, and print an account.

    Parameters
    ----------
    athlete
        Id of the athlete.
    is_sure
        Do not ask.
    config_path
        The bridge's configuration; None: the user's own.

    Raises
    ------
    UserInputError
        Nothing is kept of such an athlete, the athlete's session runs, or the answer was no.
    BridgeError
        The disk refuses: run it again.
    """
    config = load_config(config_path)
    try:
        checked_id(athlete, what="athlete")
    except ValueError as error:
        raise UserInputError(str(error)) from None
    console = Console(highlight=False, soft_wrap=True, markup=False)
    kept = kept_of(config.data_folder, athlete)
    is_configured = any(each.id == athlete for each in config.athletes)
    if kept.is_nothing and not is_configured:
        forget(config.data_folder, athlete, kept)  # an earlier run may have been kept from overwriting it
        raise UserInputError(f"nothing of {athlete} is kept in {config.data_folder}")
    _tell_kept(console, athlete, kept)
    if not is_sure and not typer.confirm("Delete all of it for good?", err=True):
        raise UserInputError("nothing was deleted")
    with Console(stderr=True).status("Deleting") as status:
        done = forget(config.data_folder, athlete, kept, lambda step: status.update(f"Deleting: {step}"))
        status.update("Clearing what the broker retains")
        cleared = _clear_on_broker(config, athlete, kept)
    _tell_done(console, done)
    console.print(cleared)
    for folder in kept.unreadable:
        console.print(f"{folder}: cannot be read, so nobody knows whose it is: look, and delete it by hand")
    if is_configured:
        path = config_path or default_config_path()
        console.print(
            f"{path} still names {athlete}: take [[athletes]] with that id out, else it begins anew"
        )
    console.print("Not reached: copies made before (exports, backups), messages others have received")


def _tell_kept(console: Console, athlete: str, kept: Kept) -> None:
    names = f" ({', '.join(kept.names)})" if kept.names else ""
    parts = [
        f"{counted(len(kept.alone), 'session')} alone",
        f"{counted(len(kept.shared), 'session')} with others",
        f"{kept.archived} in the archive",
        *(["a token"] if kept.has_token else []),
    ]
    console.print(f"Kept of {athlete}{names}: {', '.join(parts)}")


def _tell_done(console: Console, done: Forgotten) -> None:
    shared = f"{counted(done.sessions_rewritten, 'session')} with others"
    parts = [
        counted(done.sessions_deleted, "session"),
        f"{counted(done.frames_left_out, 'frame')} of {shared}",
        f"{counted(done.archive_rows, 'row')} of the archive",
        f"{counted(done.outbox_rows, 'row')} of the outbox",
        *(["the token"] if done.token else []),
        *(["what was prescribed"] if done.prescription else []),
    ]
    console.print(f"Deleted: {'; '.join(parts)}")


def _clear_on_broker(config: Config, athlete: str, kept: Kept) -> str:
    """Clear retained messages, or leave marks so that the next start does; say which."""
    if config.mqtt.broker != "external":
        return "The embedded broker retains nothing once the bridge has ended"
    others = {sensor.id for each in config.athletes if each.id != athlete for sensor in each.sensors}
    marks = [ForgottenMark.of(config.gym, "athlete", athlete)]
    marks += [ForgottenMark.of(config.gym, "sensor", sensor) for sensor in sorted(kept.sensors - others)]

    async def clear() -> int:
        async with open_broker(config, Topics(config.gym)) as access:
            settings = access.bridge_settings(f"{config.gym}-forget-{os.getpid()}")
            return await clear_retained(
                settings, marks, discovery_prefix=config.home_assistant.prefix, timeout_s=_LONGEST_WAIT_S
            )

    try:
        cleared = asyncio.run(clear())
    except (BrokerUnavailable, BrokerRefused) as error:
        keep_marks(config.data_folder, [*read_marks(config.data_folder), *marks])
        return f"Retained messages are cleared when the bridge next meets its broker ({error})"
    return f"Cleared on the broker: {cleared} retained messages"
