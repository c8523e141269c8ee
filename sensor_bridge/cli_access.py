"""The commands of ``hipline certificates``: their arguments and their help."""

from __future__ import annotations

from typing import Annotated

import typer

from sensor_bridge.cli_arguments import ConfigFile

certificates = typer.Typer(
    help="Encryption for a page that the gym's network may open.", no_args_is_help=True
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
