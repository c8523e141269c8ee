from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.access.tokens import (
    create_token,
    read_tokens,
    remove_token,
    renew_token,
    tokens_of,
    tokens_path,
)
from sensor_bridge.errors import ConfigError
from sensor_bridge.mqtt.users import User

if TYPE_CHECKING:
    from pathlib import Path


def test_tokens_are_long_and_random_and_can_be_typed() -> None:
    tokens = {create_token() for _ in range(200)}
    assert len(tokens) == 200
    assert {len(token) for token in tokens} == {26}
    letters = set("".join(tokens))
    assert len(letters) == 32
    assert not letters & set("l1o0.ABC")


def test_they_are_made_once_and_stay_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "not there yet"
    first = tokens_of(folder, ["bridge", "coach"])
    assert tokens_of(folder, ["coach", "bridge"]) == first
    more = tokens_of(folder, ["bridge", "coach", "athlete-anna"])
    assert {user: more[user] for user in first} == first
    assert len(set(more.values())) == 3
    assert list(tokens_of(folder, ["coach"])) == ["coach"]
    assert read_tokens(folder) == more


def test_only_their_owner_may_read_them(tmp_path: Path) -> None:
    tokens_of(tmp_path, ["coach"])
    path = tokens_path(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=r"others may read it: run chmod 600 .*tokens\.json"):
        read_tokens(tmp_path)


def test_a_renewed_token_is_another_and_leaves_the_rest(tmp_path: Path) -> None:
    before = tokens_of(tmp_path, ["bridge", "coach"])
    fresh = renew_token(tmp_path, "coach")
    assert fresh != before["coach"]
    assert read_tokens(tmp_path) == before | {"coach": fresh}


def test_a_removed_token_is_gone(tmp_path: Path) -> None:
    before = tokens_of(tmp_path, ["coach", "athlete-anna"])
    remove_token(tmp_path, "athlete-anna")
    remove_token(tmp_path, "athlete-nobody")
    assert read_tokens(tmp_path) == {"coach": before["coach"]}


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"format": "tokens/2", "tokens": {}}', b'{"tokens": {"coach": 7}}']
)
def test_a_damaged_file_is_said_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tokens_path(tmp_path)
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="holds no tokens: remove it") as caught:
        tokens_of(tmp_path, ["coach"])
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_an_empty_token_opens_nothing(tmp_path: Path) -> None:
    tokens_path(tmp_path).touch(mode=0o600)
    tokens_path(tmp_path).write_bytes(b'{"tokens": {"coach": ""}}')
    with pytest.raises(ConfigError, match="empty token"):
        read_tokens(tmp_path)


def test_whose_a_token_is() -> None:
    known = KnownUsers({"coach": "abc", "athlete-anna": "def.ghi"})
    assert known.of("coach.abc") == User("coach")
    assert known.of("athlete-anna.def.ghi") == User("athlete-anna", "anna")
    for credential in (
        "",
        ".",
        "coach",
        "coach.",
        "coach.ab",
        "coach.abcd",
        "athlete-anna.abc",
        "x.abc",
        ".abc",
    ):
        assert known.of(credential) is None
    assert known.of("coach.\udcff") is None
    assert "abc" not in repr(known)


def test_what_a_user_may_see() -> None:
    coach, anna = User("coach"), User("athlete-anna", "anna")
    assert coach.may_see("anna")
    assert anna.may_see("anna")
    assert not anna.may_see("anna-2")
