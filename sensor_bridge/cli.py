"""The ``hipline`` command: parses arguments, hands them to one module a command, says failures in one line.

Exit codes: 0 done, 1 failed, 2 the user's input, 130 interrupted. Results on stdout, all else on stderr.
Command modules are imported when their command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import enum
import logging
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from sensor_bridge.cli_access import broker, certificates
from sensor_bridge.cli_archive import export, forget, report, takeout
from sensor_bridge.cli_arguments import ConfigFile, Headless, PagePort, ResultFile, TraceFile
from sensor_bridge.cli_command import command
from sensor_bridge.cli_conformance import sensors_conformance
from sensor_bridge.cli_outbox import outbox
from sensor_bridge.cli_sensors import sensors
from sensor_bridge.cli_sessions import sessions
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.errors import BridgeError

INTERRUPTED = 130

app = typer.Typer(
    name="hipline",
    help=(
        "Hip-hinge training with clip-on motion sensors: counts repetitions, measures pelvis and tempo.\n\n"
        "No sensors at hand? Start with: hipline demo"
    ),
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class AccUnit(enum.StrEnum):
    """Units that accelerations come in."""

    SI = "m/s2"
    G = "g"
    MILLI_G = "mg"


class GyrUnit(enum.StrEnum):
    """Units that angular rates come in."""

    SI = "rad/s"
    DEGREES = "deg/s"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("hipline"))
        raise typer.Exit


@app.callback()
def _options(
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say on stderr what is going on.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="hipline: %(levelname)s: %(message)s",
    )
    logging.getLogger("sensor_bridge").setLevel(logging.INFO if verbose else logging.WARNING)


@app.command()
def analyze(
    trace: TraceFile,
    *,
    json_path: ResultFile = None,
    angles: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write all angles, Parquet or (by its ending) CSV.", show_default=False
        ),
    ] = None,
    acc_unit: Annotated[AccUnit, typer.Option(help="Unit of the accelerations in the file.")] = AccUnit.SI,
    gyr_unit: Annotated[GyrUnit, typer.Option(help="Unit of the angular rates in the file.")] = GyrUnit.SI,
    file: ConfigFile = None,
) -> None:
    """Analyse one recording: a table of its repetitions, and files where asked for.

    The file needs a column t in seconds and, for pelvis, thigh_left or thigh_right, columns such as
    pelvis_ax pelvis_ay pelvis_az in m/s² (and pelvis_gx pelvis_gy pelvis_gz in rad/s). What cannot be
    measured with the sensors worn is left empty, with the reason.

    To try it: hipline simulate romanian_deadlift --out rdl.parquet --truth truth.json
    """
    from sensor_bridge.commands.analyze import run

    run(
        trace,
        json_path=json_path,
        angles_path=angles,
        acc_unit=acc_unit.value,
        gyr_unit=gyr_unit.value,
        config_path=file,
    )


@app.command()
def simulate(
    scenario: Annotated[
        str,
        typer.Argument(
            help=(
                "romanian_deadlift, single_leg_deadlift_left, single_leg_deadlift_right, glute_bridge, "
                "single_leg_glute_bridge_left, glute_bridge_walkout, "
                "micro_hinge, squat, walking, standing, or a .toml file of your own."
            ),
            show_default=False,
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="TRACE", help="Where the recording goes.", show_default=False)],
    truth: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Where the truth goes: .json, or .parquet/.csv for the exact angles alone.",
            show_default=False,
        ),
    ],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
) -> None:
    """Let a virtual athlete perform, and write what its sensors recorded beside what really happened."""
    from sensor_bridge.commands.simulate import run

    run(scenario, trace_path=out, truth_path=truth, seed=seed)


@app.command()
def demo(
    *,
    duration: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="Length in seconds; as many repetitions are done as fit. Default: the whole scenario.",
            show_default=False,
        ),
    ] = None,
    headless: Headless = False,
    port: PagePort = 8321,
    scenario: Annotated[
        str, typer.Option(help="What the virtual athlete does, as for simulate.")
    ] = "romanian_deadlift",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same performance.")] = 1,
    browser: Annotated[bool, typer.Option(help="Open the page in the system's browser.")] = True,
) -> None:
    """Watch a virtual athlete do slow Romanian deadlifts, live, without any hardware.

    Athlete, sensors and radio are simulated; protocol, bridge, broker and page are the real ones. At the end
    what was counted is printed beside what was done.
    """
    from sensor_bridge.commands.demo import run

    run(
        duration_s=duration,
        is_headless=headless,
        port=port,
        scenario=scenario,
        seed=seed,
        open_browser=browser,
    )


@app.command()
def replay(
    trace: TraceFile,
    *,
    json_path: ResultFile = None,
    headless: Headless = False,
    port: PagePort = 8321,
    seed: Annotated[int, typer.Option(min=0, help="Of the virtual radio.")] = 1,
) -> None:
    """Play a recording live, through virtual sensors over a virtual radio.

    The same repetitions as with analyze come out, by the way of a live session.
    """
    from sensor_bridge.commands.replay import run

    run(trace, json_path=json_path, is_headless=headless, port=port, seed=seed)


@app.command()
def run(
    *,
    network: Annotated[
        bool,
        typer.Option("--network", help="Open page and broker to the network this machine is in, encrypted."),
    ] = False,
    trusted_network: Annotated[
        bool,
        typer.Option("--trusted-network", help="With --network: without encryption; nobody listens in."),
    ] = False,
    file: ConfigFile = None,
) -> None:
    """Stream from real sensors: Bluetooth to MQTT and the dashboard, until Ctrl-C.

    A session that was cut off (a crash, a power cut) goes on where it was.
    """
    from sensor_bridge.commands.run import run as run_until_stopped

    run_until_stopped(file, is_networked=network, is_network_trusted=trusted_network)


@app.command("virtual-sensors")
def virtual_sensors(
    what: Annotated[
        str,
        typer.Argument(
            help=(
                "A scenario, as for simulate, or a recording (.parquet, .csv). Sensors that nobody wears: "
                "six_positions, for sensors calibrate; moved_in_turn, for sensors assign."
            )
        ),
    ] = "romanian_deadlift",
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port of the virtual radio; 0 takes any free one.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of performance and radio.")] = 1,
    duration: Annotated[
        float | None,
        typer.Option(min=1, help="Length of a performance in seconds.", show_default=False),
    ] = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Begin now, not when a bridge has started all sensors.")
    ] = False,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Another vendor's sensors (docs/sensors.md) perform a scenario: movella-dot, witmotion, "
            "polar, movesense, thingy52, generic.",
            show_default=False,
        ),
    ] = None,
    pairing: Annotated[
        bool,
        typer.Option("--pairing", help="Take commands only from a computer that is paired: sensors pair."),
    ] = False,
    flash: Annotated[
        bool,
        typer.Option("--flash", help="Store all samples too: what a bridge misses it can fetch later."),
    ] = False,
) -> None:
    """Put virtual sensors on a virtual radio that hipline run or sensors, in another process, uses.

    Prints what the bridge's configuration has to say. For tests of the bridge without hardware.
    """
    from sensor_bridge.commands.virtual_sensors import run

    run(
        what,
        port=port,
        seed=seed,
        duration_s=duration,
        at_once=at_once,
        kind=kind,
        requires_pairing=pairing,
        has_flash=flash,
    )


@app.command()
def watch(
    *,
    file: ConfigFile = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="A line an event, for pipes and screen readers.")
    ] = False,
) -> None:
    """Watch the live numbers in the terminal, from MQTT.

    To try it: hipline demo in one terminal, hipline watch in another.
    """
    from sensor_bridge.commands.watch import run
    from sensor_bridge.commands.watched_broker import find_broker

    settings, gym = find_broker(file)
    run(settings, gym, plain=plain)


@app.command()
def tokens(
    *,
    renew: Annotated[
        str | None,
        typer.Option(metavar="USER", help="Give this user another token.", show_default=False),
    ] = None,
    network: Annotated[
        bool, typer.Option("--network", help="Addresses as for: hipline run --network")
    ] = False,
    trusted_network: Annotated[
        bool, typer.Option("--trusted-network", help="The same, without encryption.")
    ] = False,
    file: ConfigFile = None,
) -> None:
    """Show who may use page and broker: each user's token, and the address that opens the page with it.

    Tokens are made at the first start and stay the same. Who has coach's token sees everybody; give
    athletes their own.
    """
    from sensor_bridge.commands.tokens import run

    run(file, renew=renew, is_networked=network, is_network_trusted=trusted_network)


app.command()(command)
app.command()(export)
app.command()(report)
app.command()(takeout)
app.command()(forget)
app.add_typer(broker, name="broker")
app.add_typer(certificates, name="certificates")
app.add_typer(sessions, name="sessions")
app.add_typer(outbox, name="outbox")
sensors.command("conformance")(sensors_conformance)
app.add_typer(sensors, name="sensors")


@app.command()
def config(
    *,
    file: ConfigFile = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print every setting as it is in force, as JSON.")
    ] = False,
) -> None:
    """Check the configuration; say where it is looked for, or what is in force."""
    from sensor_bridge.config_file import default_config_path, load_config

    loaded = load_config(file)
    if show:
        typer.echo(loaded.model_dump_json(indent=2))
        return
    path = file or default_config_path()
    state = "is in order" if path.exists() else "does not exist: the defaults are in force"
    typer.echo(f"{path} {state}")


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    try:
        result = app(arguments or ["--help"], prog_name="hipline", standalone_mode=False)
    except BridgeError as error:
        return _fail(str(error), error.exit_code)
    except TyperException as error:
        message = error.format_message().replace("Value error, ", "")
        if not message:  # a group without its command: its help has been printed
            return error.exit_code
        return _fail(f"{message} (hipline --help tells more)", error.exit_code)
    if result == INTERRUPTED:
        return _fail("interrupted", INTERRUPTED)
    return result if isinstance(result, int) else 0


def _fail(message: str, exit_code: int) -> int:
    # A message may quote a file, and what is in a file may control a terminal.
    typer.echo(f"hipline: {printable(' '.join(message.split()))}", err=True)
    return exit_code
