"""``hipline tokens``: who may use page and broker, and with which token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from sensor_bridge.access.tokens import renew_token, tokens_of
from sensor_bridge.config_file import load_config
from sensor_bridge.dashboard.server import page_link
from sensor_bridge.errors import UserInputError
from sensor_bridge.mqtt.users import BRIDGE_USER, COACH_USER, user_names
from sensor_bridge.network_access import network_access, opened

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.config import Config

_MAY = {BRIDGE_USER: "everything, for programs", COACH_USER: "sees everybody, gives commands"}


def run(
    config_path: Path | None,
    *,
    renew: str | None,
    is_networked: bool = False,
    is_network_trusted: bool = False,
) -> None:
    """Print each user's token and what opens the page with it; make those that are missing.

    Parameters
    ----------
    config_path
        The configuration; None: the user's own.
    renew
        The user who gets another token, None: nobody.
    is_networked, is_network_trusted
        As ``hipline run`` is told.

    Raises
    ------
    UserInputError
        There is no such user.
    BridgeError
        The tokens cannot be read or written.
    """
    config = opened(
        load_config(config_path), is_networked=is_networked, is_network_trusted=is_network_trusted
    )
    users = user_names([athlete.id for athlete in config.athletes])
    if renew is not None:
        if renew not in users:
            raise UserInputError(f"there is no user {renew!r}: known are {', '.join(users)}")
        renew_token(config.data_folder, renew)
    page = _page_url(config)
    for user, token in tokens_of(config.data_folder, users).items():
        typer.echo(f"{user}  ({_MAY.get(user, 'sees only own data')})")
        typer.echo(f"    token  {user}.{token}")
        if user != BRIDGE_USER and config.dashboard.enabled:
            typer.echo(f"    page   {page_link(page, f'{user}.{token}')}")
    if renew is not None:
        typer.echo(
            f"{renew}: the old token opens nothing any more once the bridge is started again", err=True
        )


def _page_url(config: Config) -> str:
    network = network_access(config)
    host = f"[{network.public_host}]" if ":" in network.public_host else network.public_host
    return f"{'https' if network.encryption else 'http'}://{host}:{config.dashboard.port or '<port>'}/"
