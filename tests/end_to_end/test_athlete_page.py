"""The athlete's own page while a set is done, on data that came through the virtual radio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.watched_athlete import WatchedAthlete, watch_the_athlete
from tests.end_to_end.watched_set import in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.browser, pytest.mark.realtime]

COUNT_HZ, BOTTOM_HZ, TURN_HZ = 880, 440, 1320


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> WatchedAthlete:
    return watch_the_athlete(tmp_path_factory.mktemp("athlete"))


def assert_is_end_of(seen: Sequence[object], whole: Sequence[object]) -> None:
    """What began before the page heard of it, on a machine that is busy, is not made up for."""
    assert seen
    assert list(seen) == list(whole)[-len(seen) :]


def test_the_athletes_token_leads_to_the_athletes_page(watched: WatchedAthlete) -> None:
    assert watched.complaints == []
    assert {glimpse.scene for glimpse in watched.phone} >= {"working", "resting"}


def test_the_lowering_and_the_hold_are_counted(watched: WatchedAthlete) -> None:
    for done in range(len(watched.repetitions)):
        assert_is_end_of([numeral for numeral, _ in watched.counted("eccentric", done)], ["1", "2", "3"])
        assert {numeral for numeral, _ in watched.counted("bottom", done)} == {"1"}


def test_each_phase_is_called_and_the_number_never_goes_back(watched: WatchedAthlete) -> None:
    working = [glimpse for glimpse in watched.phone if glimpse.scene == "working"]
    calls = in_order(glimpse.big for glimpse in working if glimpse.kind in {"call", "done"})
    assert "Up" in calls
    assert [call for call in calls if call.isdigit()] == ["1", "2"]
    numbers = in_order(glimpse.repetition for glimpse in working)
    assert [number for number in numbers if number != "2 repetitions"] == [
        "repetition 1 of 2",
        "repetition 2 of 2",
    ]


def test_the_depth_is_in_degrees_until_there_is_one_to_compare_with(watched: WatchedAthlete) -> None:
    lowering = [glimpse for glimpse in watched.phone if glimpse.phase == "eccentric"]
    first = [glimpse.depth for glimpse in lowering if glimpse.repetition.startswith("repetition 1")]
    second = [glimpse.depth for glimpse in lowering if glimpse.repetition.startswith("repetition 2")]
    assert {depth[-1] for depth in first} == {"°"}
    assert len(set(first)) > 10
    deepest = max(int(depth.removeprefix("depth").removesuffix(" %")) for depth in second if depth[-1] == "%")
    assert deepest >= 85


def test_each_repetition_gets_its_line(watched: WatchedAthlete) -> None:
    lines = in_order(glimpse.verdict for glimpse in watched.phone if glimpse.scene == "working")
    assert lines[0].endswith("Lower on a count of 3, stay down for 1, up as fast as you can.")
    assert any("Repetition 1: " in line for line in lines)
    assert any("Repetition 2: " in line for line in lines)


def test_the_set_is_summed_up(watched: WatchedAthlete) -> None:
    first, second = watched.repetitions
    lowering = watched.summary["lowering"]
    assert "asked 3 s" in lowering
    shown_s = float(lowering.split("\n")[1].split(" s")[0])
    assert shown_s == pytest.approx((first.eccentric_s + second.eccentric_s) / 2 + 0.25, abs=0.2)
    depth_deg = float(watched.summary["depth"].split("\n")[1].split("°")[0])
    assert 60 < depth_deg < 110
    assert "°" in watched.summary["level"]
    assert "°" in watched.summary["lockout"]
    assert " s" in watched.summary["tension"]
    assert "%" in watched.summary["velocityLoss"]
    assert watched.rest.startswith("0:")


def test_each_second_ticks_and_the_bottom_sounds_different(watched: WatchedAthlete) -> None:
    # The first tone only tells that ticking is on.
    heard = [beat for beat in watched.beats[1:] if not beat.silenced]
    assert {beat.hz for beat in heard} == {COUNT_HZ, BOTTOM_HZ, TURN_HZ}
    bottoms = [beat for beat in heard if beat.hz == BOTTOM_HZ]
    assert len(bottoms) <= len(watched.repetitions)
    for bottom in bottoms:
        ago_s = [(bottom.at_ms - beat.at_ms) / 1000 for beat in heard if beat.hz == COUNT_HZ]
        assert_is_end_of([round(s, 1) for s in ago_s if 0 < s < 2.9], [2.0, 1.0])


def test_numeral_and_tick_go_together(watched: WatchedAthlete) -> None:
    bottoms = [beat for beat in watched.beats if beat.hz == BOTTOM_HZ and not beat.silenced]
    lowered = [dict(watched.counted("eccentric", done)) for done in range(len(watched.repetitions))]
    for bottom in bottoms:
        # "3" is called as the last second begins, and seen whenever the browser comes to it.
        ago_s = [watched.at_s(bottom.at_ms) - seen["3"] for seen in lowered]
        assert min(abs(s) for s in ago_s) < 1.2


def test_nothing_ticks_at_rest(watched: WatchedAthlete) -> None:
    over_s = watched.repetitions[-1].concentric_end_s + 0.5
    assert not [beat for beat in watched.beats if not beat.silenced and watched.at_s(beat.at_ms) > over_s]


def test_the_screen_is_asked_to_stay_on(watched: WatchedAthlete) -> None:
    assert watched.wakes >= 1


def test_nothing_is_animated_where_motion_is_not_wanted(watched: WatchedAthlete) -> None:
    assert {glimpse.animations for glimpse in watched.tv} == {0}
    assert {glimpse.big for glimpse in watched.tv} >= {"1", "2", "3", "Up"}


def test_a_tv_is_readable_from_across_the_room(watched: WatchedAthlete) -> None:
    # On a 55-inch TV letters of 30 px are 14 mm high: twice what good eyes need from five metres.
    too_small = [(text, size) for text, size in watched.texts if size < 30]
    assert too_small == []


def test_pictures_are_left_to_look_at(watched: WatchedAthlete) -> None:
    names = {path.name for path in watched.pictures.iterdir()}
    assert names == {
        f"athlete_{screen}_{moment}.png"
        for screen in ("phone", "tv")
        for moment in ("counting", "done", "resting")
    }
