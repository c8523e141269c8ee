"""The commands of ``hipline sensors``: their arguments and their help."""

from __future__ import annotations

from typing import Annotated

import typer

sensors = typer.Typer(help="Find, ask and recognise sensors.", no_args_is_help=True)
VirtualPort = Annotated[
    int | None,
    typer.Option(
        min=1, max=65535, help="Use the virtual radio that virtual-sensors serves.", show_default=False
    ),
]
SensorAddress = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="As printed by hipline sensors scan.", show_default=False)
]


@sensors.command("scan")
def sensors_scan(
    *,
    duration: Annotated[float, typer.Option(min=0.5, max=300, help="How long to listen, s.")] = 5.0,
    virtual_port: VirtualPort = None,
) -> None:
    """List the Hipline sensors that are advertising nearby, the strongest signal first."""
    from sensor_bridge.commands.sensors import scan

    scan(duration, virtual_port)


@sensors.command("info")
def sensors_info(address: SensorAddress, *, virtual_port: VirtualPort = None) -> None:
    """Print what a sensor says of itself: firmware, rates, battery, connection."""
    from sensor_bridge.commands.sensors import info

    info(address, virtual_port)


@sensors.command("identify")
def sensors_identify(
    address: SensorAddress,
    *,
    duration: Annotated[int, typer.Option(min=1, max=255, help="How long it blinks, s.")] = 5,
    virtual_port: VirtualPort = None,
) -> None:
    """Make a sensor blink, to see which one it is."""
    from sensor_bridge.commands.sensors import identify

    identify(address, duration, virtual_port)
