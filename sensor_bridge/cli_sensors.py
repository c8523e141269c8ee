"""The commands of ``hipline sensors``: their arguments and their help."""

from __future__ import annotations

from typing import Annotated

import typer

from sensor_bridge.cli_arguments import ConfigFile

sensors = typer.Typer(help="Find, ask and recognise sensors.", no_args_is_help=True)
VirtualPort = Annotated[
    int | None,
    typer.Option(
        min=1, max=65535, help="Use the virtual radio that virtual-sensors serves.", show_default=False
    ),
]
Sensor = Annotated[
    str,
    typer.Argument(
        metavar="SENSOR",
        help="Its address or name, as printed by hipline sensors scan, or its id in the configuration.",
        show_default=False,
    ),
]


@sensors.command("scan")
def sensors_scan(
    *,
    duration: Annotated[float, typer.Option(min=0.5, max=300, help="How long to listen, s.")] = 5.0,
    ask: Annotated[
        bool,
        typer.Option(help="Connect to each for its battery and firmware, which nobody advertises."),
    ] = True,
    file: ConfigFile = None,
    virtual_port: VirtualPort = None,
) -> None:
    """List the sensors that are advertising nearby, the strongest signal first.

    A sensor that is in use does not advertise. What could not be asked is left open, with the reason.
    """
    from sensor_bridge.commands.sensors_scan import scan

    scan(duration, file, virtual_port, ask=ask)


@sensors.command("info")
def sensors_info(sensor: Sensor, *, file: ConfigFile = None, virtual_port: VirtualPort = None) -> None:
    """Print what a sensor says of itself: firmware, rates, ranges, battery, connection."""
    from sensor_bridge.commands.sensors_ask import info

    info(sensor, file, virtual_port)


@sensors.command("identify")
def sensors_identify(
    sensor: Sensor,
    *,
    duration: Annotated[int, typer.Option(min=1, max=255, help="How long it blinks, s.")] = 5,
    file: ConfigFile = None,
    virtual_port: VirtualPort = None,
) -> None:
    """Make a sensor blink, to see which one it is."""
    from sensor_bridge.commands.sensors_ask import identify

    identify(sensor, duration, file, virtual_port)


@sensors.command("configure")
def sensors_configure(
    sensor: Sensor,
    *,
    rate: Annotated[float | None, typer.Option(help="Samples a second, Hz.", show_default=False)] = None,
    accel_range: Annotated[
        int | None, typer.Option(help="Full scale of the accelerometer, g.", show_default=False)
    ] = None,
    gyro_range: Annotated[
        int | None, typer.Option(help="Full scale of the gyroscope, °/s.", show_default=False)
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(help="Samples a packet: fewer is sooner, more saves the battery.", show_default=False),
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="End a stream that still runs; what it remembers is lost.")
    ] = False,
    file: ConfigFile = None,
    virtual_port: VirtualPort = None,
) -> None:
    """Set rate, ranges and batch of a sensor's next stream; what is not named comes from the configuration.

    It holds until the sensor is set anew or reboots. hipline run sets its own at every start: [streaming] in
    the configuration. What a sensor offers: hipline sensors info SENSOR
    """
    from sensor_bridge.commands.sensors_configure import Wish, configure

    configure(sensor, Wish(rate, accel_range, gyro_range, batch), file, virtual_port, stop_stream=stop)
