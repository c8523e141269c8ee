"""``hipline outbox``: what waits for the broker, what was put aside, and what becomes of that."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from sensor_bridge.commands.output_files import check_outputs
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import UserInputError
from sensor_bridge.mqtt.outbox_store import EventState, OutboxStore
from sensor_bridge.outbox_config import OUTBOX_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.mqtt.outbox_store import DeadLetter

_MOST_ROWS = 50


def show(config_path: Path | None) -> None:
    """Print what waits, what was put aside and what was given up.

    Parameters
    ----------
    config_path
        The bridge's configuration, which names the data folder; None: the user's own.

    Raises
    ------
    UserInputError
        There is no outbox yet.
    """
    console = Console(highlight=False, markup=False, soft_wrap=True)
    with _opened(config_path) as store:
        queues, letters, losses = store.queues(), store.dead_letters(), store.given_up()
    if not queues:
        console.print("Nothing waits for the broker.")
    else:
        table = Table("topic", "waiting", "oldest since, UTC")
        for queue in queues:
            table.add_row(queue.topic, str(queue.waiting), _moment(queue.oldest_ms))
        console.print(table)
    if letters:
        table = Table("put aside", "revision", "topic", "waited since, UTC", "because")
        for letter in letters[:_MOST_ROWS]:
            event = letter.event
            table.add_row(
                event.event_id, str(event.revision), event.topic, _moment(letter.since_ms), letter.reason
            )
        console.print(table)
        if len(letters) > _MOST_ROWS:
            console.print(f"and {len(letters) - _MOST_ROWS} more: hipline outbox export writes them all")
        console.print("To send them again: hipline outbox resend")
    if losses:
        table = Table("given up, no room", "revision", "topic", "at, UTC")
        for loss in losses[-_MOST_ROWS:]:
            table.add_row(loss.event_id, str(loss.revision), loss.topic, _moment(loss.at_ms))
        console.print(table)
        console.print(
            f"{len(losses)} events were given up. Where the frame log was still written, "
            "hipline sessions export and hipline analyze find their repetitions again."
        )


def resend(config_path: Path | None) -> None:
    """Let what was put aside go out again."""
    with _opened(config_path) as store:
        revived = store.revive(EventState.REFUSED, EventState.EXPIRED)
    Console(highlight=False).print(f"{revived} events go out again" if revived else "nothing was put aside")


def export(config_path: Path | None, *, out: Path, is_removed: bool) -> None:
    """Write what was put aside as lines of JSON.

    Raises
    ------
    UserInputError
        There is no outbox yet, or `out` cannot be written.
    """
    with _opened(config_path) as store:
        check_outputs([out], source=store.path)
        letters = store.dead_letters()
        lines = [f"{json.dumps(_record(letter))}\n" for letter in letters]
        try:
            out.write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            raise UserInputError(f"{out}: cannot be written: {error.strerror}") from error
        if is_removed:
            store.remove_dead_letters(letter.position for letter in letters)
    Console(highlight=False, soft_wrap=True).print(f"{out}: {len(letters)} events")


def _opened(config_path: Path | None) -> OutboxStore:
    path = load_config(config_path).data_folder / OUTBOX_NAME
    if not path.is_file():
        raise UserInputError(f"{path}: there is no outbox yet: hipline run makes it")
    return OutboxStore(path, is_owner=False)


def _record(letter: DeadLetter) -> dict[str, object]:
    text = letter.event.body.decode(errors="replace")
    try:
        message: object = json.loads(text)
    except ValueError:
        message = text
    return {
        "topic": letter.event.topic,
        "id": letter.event.event_id,
        "revision": letter.event.revision,
        "state": letter.state.name.lower(),
        "reason": letter.reason,
        "since": _moment(letter.since_ms),
        "message": message,
    }


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if ms > 0 else "?"
