"""The wheel as a stranger gets it: built, installed into an environment of its own, its page opened."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = ("firmware_protocol", "analytics", "sensor_bridge", "hardware_sim")

SERVE = """
import asyncio, sys
import sensor_bridge
from sensor_bridge.dashboard.server import DashboardServer, DashboardSettings

async def serve():
    settings = DashboardSettings(gym="g", websocket_url="ws://127.0.0.1:9")
    async with DashboardServer(settings) as server:
        print(sensor_bridge.__file__, server.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(serve())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution, and the wheel from it, where the page has never been built."""
    tree = tmp_path_factory.mktemp("tree")
    for name in SOURCES:
        shutil.copytree(
            REPOSITORY / name,
            tree / name,
            ignore=lambda folder, names: [
                n for n in names if n in {"__pycache__", "node_modules"} or is_dist(folder, n)
            ],
        )
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", ".gitignore"):
        shutil.copy(REPOSITORY / name, tree / name)
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(tree)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.glob("*.whl"))


def is_dist(folder: str, name: str) -> bool:
    return name == "dist" and Path(folder).name == "web"


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel with the libraries it asks for, and nothing else, into a new environment."""
    home = tmp_path_factory.mktemp("environment")
    venv.EnvBuilder(with_pip=False, symlinks=True).create(home)
    interpreter = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(interpreter), "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "install", "--quiet", str(wheel)], capture_output=True, text=True, timeout=480, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return interpreter


@pytest.fixture
def served(python: Path, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Serve the page from the installed wheel, outside the repository."""
    process = subprocess.Popen(
        [str(python), "-c", SERVE],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    place, url = process.stdout.readline().split()
    yield Path(place), url
    process.stdin.close()
    process.stdout.close()
    assert process.wait(timeout=20) == 0


def test_the_source_distribution_holds_what_the_wheel_is_built_from(wheel: Path) -> None:
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    alone = {name for name in names if "/" not in name}
    assert alone == {".gitignore", "CHANGELOG.md", "PKG-INFO", "README.md", "pyproject.toml"}
    assert {name.split("/")[0] for name in names} - alone == set(SOURCES)
    assert {"firmware_protocol/c/hipline_codec.c", "firmware_protocol/vectors.json"} <= set(names)
    assert [name for name in names if {"node_modules", "dist", "__pycache__"} & set(name.split("/"))] == []


def test_the_wheel_holds_the_built_page_and_none_of_its_sources(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {*SOURCES, "hipline-0.1.0.dist-info"}
    page = [name for name in names if name.startswith("sensor_bridge/dashboard/web/")]
    assert "sensor_bridge/dashboard/web/dist/index.html" in page
    assert sorted({Path(name).suffix for name in page}) == [".css", ".html", ".js", ".svg"]
    assert [name for name in page if "/web/dist/" not in name] == []
    assert [name for name in names if "node_modules" in name or name.endswith((".ts", ".tsx"))] == []
    assert [name for name in names if name.endswith((".c", ".h"))] == []  # for firmware, not for the bridge
    for package in SOURCES:
        assert {f"{package}/__init__.py", f"{package}/py.typed"} <= set(names)


@pytest.mark.browser
async def test_the_page_of_the_wheel_opens(served: tuple[Path, str], python: Path) -> None:
    place, url = served
    assert place.is_relative_to(python.parent.parent)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is not installed: apt install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        await page.goto(f"{url}#token=coach.secret")
        await expect(page.locator("h1")).to_have_text("Hipline")
        await expect(page.get_by_text("Waiting for the first athlete")).to_be_visible()
        # Nobody listens where this page looks for its broker, and it says so instead of failing.
        await expect(page.get_by_test_id("connection-state")).to_have_text("connecting")
        await browser.close()


def test_the_command_of_the_wheel_measures(python: Path, tmp_path: Path) -> None:
    hipline = python.with_name("hipline")
    simulate = [str(hipline), "simulate", "micro_hinge", "--out", "set.parquet", "--truth", "truth.json"]
    for command in (simulate, [str(hipline), "analyze", "set.parquet", "--json", "result.json"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
    truth, result = (json.loads((tmp_path / name).read_text()) for name in ("truth.json", "result.json"))
    assert len(result["repetitions"]) == len(truth["repetitions"]) == 5
