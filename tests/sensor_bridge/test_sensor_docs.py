"""docs/sensors.md tells of every driver, and its example is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sensor_bridge.ble.drivers import DRIVERS
from sensor_bridge.ble.drivers.generic import GenericLayout
from sensor_bridge.config_file import load_config

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "sensors.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", DRIVERS)
def test_every_kind_has_its_row(kind):
    assert len(re.findall(rf"^\|[^|]+\| `{kind}` \|", PAGE, re.MULTILINE)) == 1


def test_no_other_kind_is_told_of():
    rows = re.findall(r"^\|[^|]+\| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert set(rows) - {"kind"} == set(DRIVERS)


def test_it_says_that_nothing_was_checked_on_hardware():
    assert "No layout on this page was checked on real hardware here." in PAGE


def test_the_example_is_a_configuration():
    config = load_config(DOCS / "sensors.example.toml")
    (athlete,) = config.athletes
    assert [sensor.layout for sensor in athlete.sensors] == ["sketch"] * 3
    layout = GenericLayout.from_mapping(config.layouts["sketch"])
    assert layout.traits.shows_loss
