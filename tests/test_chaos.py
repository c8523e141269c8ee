"""Hours of trouble on the radio in virtual time: every sample is accounted for, and no repetition missing."""

from __future__ import annotations

import functools
import logging

import pytest

from benchmarks.chaos.run import run
from hardware_sim.chaos import MishapKind, chaos_names, load_chaos
from hardware_sim.flash_ring import PAGE_SAMPLES


@functools.cache
def outcome(name):
    return run(load_chaos(name))


@pytest.fixture(autouse=True)
def _calm_log(monkeypatch):
    monkeypatch.setattr(logging.getLogger("sensor_bridge"), "level", logging.CRITICAL)


@pytest.mark.parametrize("name", chaos_names())
def test_every_sample_is_accounted_for(name):
    account = outcome(name).account
    assert account.made > 0
    assert account.made == (account.delivered + account.backfilled + account.reported_lost + account.vanished)
    assert account.wrong == 0
    assert (account.reported_lost > 0) is load_chaos(name).loses_samples


@pytest.mark.parametrize("name", chaos_names())
def test_what_vanishes_is_at_most_the_flash_page_in_ram_at_each_breakdown(name):
    scenario = load_chaos(name)
    n_breakdowns = sum(  # a battery that runs empty is foreseen: what was in RAM is written before
        len(scenario.athlete.sensors) if mishap.sensor is None else 1
        for _, mishap in scenario.strikes()
        if mishap.kind is MishapKind.REBOOT
    )
    assert outcome(name).account.vanished <= n_breakdowns * PAGE_SAMPLES


@pytest.mark.parametrize("name", chaos_names())
def test_repetitions_are_those_of_a_run_without_trouble(name):
    result = outcome(name)
    assert result.healed
    assert result.counts_agree
    for healed, undisturbed in zip(result.healed, result.undisturbed, strict=True):
        for one, other in zip(healed, undisturbed, strict=True):
            assert one.resembles(other, within_s=0.02, within_deg=0.5)


def test_it_is_trouble_of_many_kinds_for_many_hours():
    assert len(chaos_names()) >= 12
    assert sum(outcome(name).simulated_s for name in chaos_names()) >= 10 * 3600
    assert sum(outcome(name).account.backfilled > 0 for name in chaos_names()) >= 12
