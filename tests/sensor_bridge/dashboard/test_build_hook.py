from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sensor_bridge.dashboard import build_hook
from sensor_bridge.dashboard.build_hook import PageBuildError, build_page, install_packages, is_current

WEB = Path(build_hook.__file__).parent / "web"


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A page that was built a minute after its last change."""
    for name in ("package.json", "package-lock.json", "index.html", "src/views/app.tsx", "dist/index.html"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
        at(file, 1_000)
    for folder in ("src", "src/views"):
        at(tmp_path / folder, 1_000)
    at(tmp_path / "dist" / "index.html", 1_060)
    return tmp_path


def at(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


def test_a_page_newer_than_its_sources_is_not_built_again(web: Path) -> None:
    assert is_current(web)
    assert build_page(web) is False


@pytest.mark.parametrize("changed", ["src/views/app.tsx", "package-lock.json", "index.html", "src/views"])
def test_a_changed_source_means_a_new_page(web: Path, changed: str) -> None:
    at(web / changed, 1_100)
    assert not is_current(web)


def test_changed_unit_tests_and_installed_packages_do_not(web: Path) -> None:
    for name in ("unit/count.test.ts", "node_modules/preact/index.js"):
        (web / name).parent.mkdir(parents=True)
        (web / name).write_text("")
    assert is_current(web)


def test_a_page_never_built_is_not_current(web: Path) -> None:
    (web / "dist" / "index.html").unlink()
    assert not is_current(web)


def test_incomplete_sources_are_said_in_one_line(web: Path) -> None:
    (web / "package-lock.json").unlink()
    with pytest.raises(PageBuildError, match=r"package-lock\.json is missing"):
        install_packages(web)


def test_a_failing_tool_is_said_in_one_line(web: Path) -> None:
    (web / "package-lock.json").write_text("{ not json")
    with pytest.raises(PageBuildError, match="npm could not install") as caught:
        install_packages(web)
    assert "\n" not in str(caught.value)


def test_a_mistake_in_a_source_is_said_in_one_line(tmp_path: Path) -> None:
    install_packages(WEB)
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules", target_is_directory=True)
    (tmp_path / "package-lock.json").write_text("{}")
    at(tmp_path / "package-lock.json", 0)
    (tmp_path / "index.html").write_text('<script type="module" src="./missing.ts"></script>')
    with pytest.raises(PageBuildError, match=r"vite could not build the page; .*missing\.ts") as caught:
        build_page(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_lock_file_pins_every_package_and_names_no_host() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 20
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
