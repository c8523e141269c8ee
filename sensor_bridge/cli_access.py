"""The commands of ``hipline certificates`` and ``hipline broker``: their arguments and their help."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from sensor_bridge.cli_arguments import ConfigFile

certificates = typer.Typer(
    help="Encryption for a page that the gym's network may open.", no_args_is_help=True
)

broker = typer.Typer(help="A broker of your own, beside the one in the bridge.", no_args_is_help=True)


class BrokerKind(enum.StrEnum):
    """Brokers whose configuration can be written."""

    MOSQUITTO = "mosquitto"


@broker.command("config")
def broker_config(
    kind: Annotated[BrokerKind, typer.Argument(help="Which broker.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files go.", show_default=False)],
    address: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Name or address of the broker; default: this machine.", show_default=False
        ),
    ] = None,
    installed_in: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the files will lie on the broker's machine; default: where they are written.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of MQTT, encrypted.")] = 8883,
    websocket_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Of MQTT over WebSocket, encrypted.")
    ] = 9001,
    file: ConfigFile = None,
) -> None:
    """Write the configuration of a production broker: MQTT 5, TLS, a password and rights for each user.

    Prints what the configuration of the bridge has to say. Users and tokens stay those that hipline tokens
    shows.
    """
    from sensor_bridge.commands.broker_config import mosquitto

    assert kind is BrokerKind.MOSQUITTO
    mosquitto(
        file,
        out=out,
        address=address,
        installed_in=installed_in,
        port=port,
        websocket_port=websocket_port,
    )


@certificates.command("create")
def certificates_create(
    *,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Another name or address of this machine; may be given again.",
            show_default=False,
        ),
    ] = None,
    file: ConfigFile = None,
) -> None:
    """Make a certificate for this machine, and an authority of its own that signs it.

    Phones and laptops that trust the authority open the page without a warning. Run it again when the
    certificate expires or this machine gets another address: the authority stays the same.
    """
    from sensor_bridge.commands.certificates import create

    create(file, names=name or [])
