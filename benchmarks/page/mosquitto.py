"""A mosquitto as ``hipline broker config mosquitto`` has it: encrypted, with passwords and access rules."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

from sensor_bridge.commands.broker_config import mosquitto as write_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE_S = 10.0


@contextmanager
def running_mosquitto(data_folder: Path, gym: str) -> Iterator[dict[str, object]]:
    """Run one for a gym whose tokens lie in `data_folder`; yield the section ``[mqtt]`` of its bridge."""
    folder = data_folder / "mosquitto"
    config_path = data_folder / "hipline.toml"
    config_path.write_text(f'gym = "{gym}"\ndata_folder = "{data_folder}"\n')
    port, websocket_port = _free_ports(2)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):  # what to do with the files
        write_configuration(
            config_path,
            out=folder,
            address="localhost",
            installed_in=None,
            port=port,
            websocket_port=websocket_port,
        )
    configuration = folder / "mosquitto.conf"
    if os.geteuid() == 0:  # else it would become the user mosquitto, who may not read the folder
        configuration.write_text(f"user root\n{configuration.read_text()}")
    executable = shutil.which("mosquitto", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if executable is None:
        sys.exit("mosquitto is not installed: apt install mosquitto")
    process = subprocess.Popen([executable, "-c", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while not all(map(_answers, (port, websocket_port))):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("mosquitto did not start")
            time.sleep(0.02)
        section: dict[str, object] = tomllib.loads((folder / "hipline-mqtt.toml").read_text())["mqtt"]
        yield section
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
