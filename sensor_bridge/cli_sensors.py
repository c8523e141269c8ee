"""The commands of ``hipline sensors``: their arguments and their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sensor_bridge.cli_arguments import ConfigFile

# As in analytics.imu, whose libraries would make every --help wait.
PlacementName = StrEnum("PlacementName", ["pelvis", "thigh_left", "thigh_right"])
MountName = StrEnum(
    "MountName",
    ["sacrum", "hip_left", "hip_right", "belly", "thigh_lateral", "thigh_anterior", "unknown"],
)

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
        typer.Option(
            help="Connect to each Hipline sensor for its battery and firmware: nobody advertises them."
        ),
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
    """Print what a Hipline sensor says of itself: firmware, rates, ranges, battery, connection."""
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


@sensors.command("assign")
def sensors_assign(
    sensor: Annotated[
        str | None,
        typer.Argument(metavar="[SENSOR]", help="Which; left out: you move it and it is recognised."),
    ] = None,
    *,
    athlete: Annotated[str, typer.Option(help="Id of who wears it: a-z, 0-9 and -.", show_default=False)],
    placement: Annotated[
        list[PlacementName] | None,
        typer.Option(help="Where it is worn; several times to be asked for several.", show_default=False),
    ] = None,
    mount: Annotated[
        MountName | None, typer.Option(help="Where on that part of the body.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the athlete.", show_default=False)] = None,
    sensor_id: Annotated[
        str | None,
        typer.Option("--id", help="Name of the sensor in topics and on the page.", show_default=False),
    ] = None,
    file: ConfigFile = None,
    virtual_port: VirtualPort = None,
) -> None:
    """Write into the configuration who wears which sensor where; everything else in the file stays as it is.

    With a SENSOR: hipline sensors assign C0:DE:00:00:00:01 --athlete robin --placement pelvis

    Without: all sensors nearby are connected and you are asked to move one after the other: the one on the
    hip, on the left thigh, on the right thigh. What is recognised is written at the end.
    """
    from analytics.imu import Mount, Placement
    from sensor_bridge.commands.sensors_assign import Wearing, assign_by_moving, assign_named

    placements = tuple(Placement(each) for each in placement or ())
    wearing = Wearing(athlete, placements, None if mount is None else Mount(mount), name, sensor_id)
    if sensor is None:
        assign_by_moving(wearing, file, virtual_port)
    else:
        assign_named(sensor, wearing, file, virtual_port)


@sensors.command("update")
def sensors_update(
    sensor: Sensor,
    image: Annotated[
        Path, typer.Argument(metavar="IMAGE", help="Signed .bin of MCUboot's imgtool.", show_default=False)
    ],
    *,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="PEM",
            help="Public key: refuses an image that it did not sign before anything is sent.",
            show_default=False,
        ),
    ] = None,
    file: ConfigFile = None,
    virtual_port: VirtualPort = None,
) -> None:
    """Give a sensor new firmware by radio (MCUmgr, MCUboot).

    The image is sent, tried and only then confirmed: where the sensor does not come back with it, it goes
    back to what it ran before. A link that breaks is made again, and sending goes on where it was. Takes one
    to three minutes; the sensor must not be in use.
    """
    from sensor_bridge.commands.sensors_update import update

    update(sensor, image, key, file, virtual_port)


@sensors.command("calibrate")
def sensors_calibrate(
    sensor: Sensor,
    *,
    still: Annotated[
        float, typer.Option(min=0.5, max=30, help="How long each position is held still, s.")
    ] = 3.0,
    file: ConfigFile = None,
    virtual_port: VirtualPort = None,
) -> None:
    """Find bias and scale of a sensor: lay it on its six sides, then lean it once to check the result.

    What is found is kept in the data folder under the sensor's serial number. hipline run and hipline analyze
    take it off what that sensor measures, and say so. Again after a year, or when the numbers drift.
    """
    from sensor_bridge.commands.sensors_calibrate import calibrate

    calibrate(sensor, still, file, virtual_port)


@sensors.command("log")
def sensors_log(
    sensor: Sensor,
    *,
    download: Annotated[
        Path | None,
        typer.Option(
            metavar="TRACE", help="Write a stored stream as a recording (.parquet, .csv).", show_default=False
        ),
    ] = None,
    stream: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Which stream; else the newest.", show_default=False)
    ] = None,
    placement: Annotated[
        PlacementName | None,
        typer.Option(help="Where it was worn; else as the configuration says.", show_default=False),
    ] = None,
    erase: Annotated[
        bool, typer.Option("--erase", help="Forget everything that is stored, after any download.")
    ] = False,
    file: ConfigFile = None,
    virtual_port: VirtualPort = None,
) -> None:
    """Show what a sensor has stored in its flash; download or erase it.

    hipline run fetches by itself what a broken link kept back; this is for what was measured without a bridge
    in range. Analyse a download with: hipline analyze TRACE
    """
    from analytics.imu import Placement
    from sensor_bridge.commands.sensors_log import Download, log

    worn = None if placement is None else Placement(placement)
    wanted = None if download is None else Download(download, stream, worn)
    log(sensor, wanted, file, virtual_port, erase_all=erase)


@sensors.command("pair")
def sensors_pair(sensor: Sensor, *, file: ConfigFile = None, virtual_port: VirtualPort = None) -> None:
    """Pair with a sensor that takes commands only from a computer it knows, and note it in the configuration.

    Its button may have to be held first. A sensor that was paired is talked to over an encrypted link only:
    one that does not know this computer any more, or only pretends to be it, is refused. Then pair again.
    """
    from sensor_bridge.commands.sensors_pair import pair

    pair(sensor, file, virtual_port)


@sensors.command("forget")
def sensors_forget(sensor: Sensor, *, file: ConfigFile = None, virtual_port: VirtualPort = None) -> None:
    """Forget the pairing with a sensor, on this computer and in the configuration."""
    from sensor_bridge.commands.sensors_pair import forget

    forget(sensor, file, virtual_port)
