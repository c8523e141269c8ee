from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hardware_sim.chaos import MishapKind, chaos_names, load_chaos
from hardware_sim.chaos_sources import chaos_sources
from hardware_sim.errors import ScenarioError

SHORT = 'summary = "short"\nduration_s = 100\n'


@pytest.fixture
def scenario(tmp_path):
    def load(text):
        path = tmp_path / "trouble.toml"
        path.write_text(SHORT + text)
        return load_chaos(path)

    return load


def test_the_bundled_scenarios_can_be_read():
    for name in chaos_names():
        loaded = load_chaos(name)
        assert loaded.name == name
        assert loaded.summary.endswith(".")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("durations = 3", "durations"),
        ("batch = 20", "batch = 20"),
        ("radio = { host_loss = 1.0 }", "host_loss"),
        ('[[mishaps]]\nkind = "fad"\nat_s = 3', "fade"),
        ('[[mishaps]]\nkind = "fade"\nat_s = 3', "needs duration_s"),
        ('[[mishaps]]\nkind = "link_drop"\nat_s = 3\nduration_s = 4', "has no duration_s"),
        ('[[mishaps]]\nkind = "conditions"\nat_s = 3', "needs radio"),
        ('[[mishaps]]\nkind = "hang_up"\nat_s = -1', "at_s"),
        ('[[mishaps]]\nkind = "hang_up"\nat_s = 1\nevery_s = 0.1', "every_s"),
        ('[[mishaps]]\nkind = "hang_up"\nat_s = 1\nsensor = "knee"', "nobody wears sensor 'knee'"),
        ('[[mishaps]]\nkind = "host_restart"\nat_s = 1\nsensor = "sim-pelvis"', "leave sensor out"),
        ("[", "is not TOML"),
    ],
)
def test_what_does_not_fit_is_refused(scenario, text, complaint):
    with pytest.raises(ScenarioError, match=complaint):
        scenario(text)


def test_an_unknown_name_is_told_its_like():
    with pytest.raises(ScenarioError, match="did you mean 'flash_full'"):
        load_chaos("flash_ful")


def test_mishaps_strike_in_order_and_each_run_alike(scenario):
    loaded = scenario(
        """
        [[mishaps]]
        kind = "link_drop"
        at_s = 5
        every_s = 20
        scatter_s = 9
        [[mishaps]]
        kind = "reboot"
        at_s = 30
        duration_s = 1
        """
    )
    struck = loaded.strikes()
    assert struck == loaded.strikes()
    assert all(one[0] <= other[0] for one, other in pairwise(struck))
    drops = [at_s for at_s, mishap in struck if mishap.kind is MishapKind.LINK_DROP]
    assert [(at_s - 5) // 20 for at_s in drops] == [0, 1, 2, 3, 4]
    assert any(at_s % 20 != 5 for at_s in drops)
    assert [at_s for at_s, mishap in struck if mishap.kind is MishapKind.REBOOT] == [30]


def test_sets_lie_in_stillness(scenario):
    played = chaos_sources(scenario("sets_at_s = [10]\nathlete = { exercise = 'squat', repetitions = 2 }"))
    assert played.n_repetitions == 2
    for source in played.sources:
        assert len(source) == 10_000
        turning = np.abs(source.gyr_rad_s).max(axis=1)
        assert turning[:900].max() < 0.1
        assert turning[1000 : 1000 + round(100 * played.set_s)].max() > 0.5


def test_a_set_has_to_fit(scenario):
    with pytest.raises(ScenarioError, match="must end before 100 s"):
        chaos_sources(scenario("sets_at_s = [95]"))
