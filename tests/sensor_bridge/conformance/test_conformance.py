"""The examination of sensors: the right one passes, each wrong one fails, by the clause that it breaks."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_protocol.clauses import CLAUSES, DESTRUCTIVE
from hardware_sim.sensor_model import SensorModel
from sensor_bridge.conformance.examination import CHECKS, chosen_clauses
from sensor_bridge.conformance.verdict import Verdict
from sensor_bridge.errors import PairingNeeded, UserInputError
from tests.sensor_bridge.conformance.examined_sensor import MODEL, examined, failed
from tests.sensor_bridge.conformance.wrong_sensors import WRONG

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_every_clause_has_its_check_and_its_place_on_the_page() -> None:
    ids = [clause.id for clause in CLAUSES]
    assert len(set(ids)) == len(ids)
    assert sorted(CHECKS) == sorted(ids)
    assert set(ids) >= DESTRUCTIVE
    for name, check in CHECKS.items():
        assert check.__doc__ == f"{name}."
    headings = set(re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE))
    assert {clause.section for clause in CLAUSES} <= headings


def test_the_right_sensor_keeps_every_clause(monkeypatch) -> None:
    findings = examined(monkeypatch)
    assert {name: each.detail for name, each in findings.items() if each.verdict is not Verdict.PASSED} == {
        "mtu-small": "the MTU is 247, and this host cannot make it smaller",
        "pairing-commands": "this computer is not paired with the sensor",
    }
    assert set(findings) == set(CHECKS) - DESTRUCTIVE


def test_what_costs_the_owner_something_is_examined_where_it_is_named(monkeypatch) -> None:
    findings = examined(monkeypatch, "bulk-erase")
    assert [(name, each.verdict) for name, each in findings.items()] == [("bulk-erase", Verdict.PASSED)]


def test_a_sensor_that_asks_for_pairing_is_examined_by_a_paired_computer_only(monkeypatch) -> None:
    only = ("pairing-commands", "start-new", "frame-layout", "resume-link", "bulk-fetch")
    model = replace(MODEL, requires_pairing=True)
    findings = examined(monkeypatch, *only, model=model, paired=True)
    assert {each.verdict for each in findings.values()} == {Verdict.PASSED}, findings
    with pytest.raises(PairingNeeded, match="is paired with: hipline sensors pair "):
        examined(monkeypatch, *only, model=model)


@pytest.mark.parametrize("mtu", [48, 100])
def test_the_right_sensor_keeps_every_clause_at_a_small_mtu(monkeypatch, mtu: int) -> None:
    findings = examined(monkeypatch, "frame-batch", "frame-numbering", "status-mtu", "bulk-pages", mtu=mtu)
    assert {each.verdict for each in findings.values()} == {Verdict.PASSED}


def test_below_the_smallest_mtu_the_right_sensor_refuses_to_stream(monkeypatch) -> None:
    only = ("info-layout", "status-layout", "mtu-small", "frame-layout", "time-echo", "bulk-survey")
    findings = examined(monkeypatch, *only, mtu=23)
    assert failed(findings) == set()
    not_examined = {name for name, each in findings.items() if each.verdict is Verdict.NOT_EXAMINED}
    assert not_examined == {"frame-layout", "time-echo", "bulk-survey"}


def test_a_sensor_without_flash_and_with_a_long_ring_is_told_from_a_wrong_one(monkeypatch) -> None:
    only = ("gatt-characteristics", "bulk-fetch", "resume-fallen")
    findings = examined(monkeypatch, *only, model=SensorModel(ring_capacity_samples=6000))
    assert failed(findings) == set()
    assert findings["bulk-fetch"].detail == "the sensor has no BULK"
    assert findings["resume-fallen"].detail == (
        "the ring holds more than can be waited for: allow 62 s (--patience)"
    )


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_sensor_fails_by_the_clause_it_breaks(monkeypatch, name: str) -> None:
    broken, tampering = WRONG[name]
    model = replace(MODEL, requires_pairing=tampering.requires_pairing)
    findings = examined(
        monkeypatch,
        *broken,
        tampering=tampering,
        mtu=tampering.mtu,
        model=model,
        paired=tampering.requires_pairing,
    )
    assert failed(findings) == broken, {each.clause.id: each.detail for each in findings.values()}
    assert all(findings[each].detail for each in broken)


def test_every_clause_is_broken_by_a_wrong_sensor() -> None:
    assert set().union(*(broken for broken, _ in WRONG.values())) == set(CHECKS)


def test_an_unknown_clause_is_refused() -> None:
    with pytest.raises(UserInputError, match=r"there is no clause frame-colour; choose from gatt-services, "):
        chosen_clauses(["frame-colour"])
