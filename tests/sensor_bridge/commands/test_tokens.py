from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sensor_bridge.access.certificates import CertificateFiles
from sensor_bridge.access.tokens import read_tokens
from sensor_bridge.cli import run_command

if TYPE_CHECKING:
    from pathlib import Path

ANNA = '[[athletes]]\nid = "anna"\nsensors = [{ placement = "pelvis", name = "A" }]\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hipline.toml"
    path.write_text(f'data_folder = "data"\n{ANNA}')
    return path


def test_each_user_is_shown_with_token_and_page(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["tokens", "--config", str(config)]) == 0
    shown = capsys.readouterr().out
    tokens = read_tokens(config.parent / "data")
    assert list(tokens) == ["athlete-anna", "bridge", "coach"]
    for user, token in tokens.items():
        assert f"token  {user}.{token}\n" in shown
    assert f"page   http://127.0.0.1:8321/#token=athlete-anna.{tokens['athlete-anna']}\n" in shown
    assert "#token=bridge" not in shown


def test_a_token_is_renewed_for_one_user_who_exists(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["tokens", "--config", str(config)]) == 0
    before = read_tokens(config.parent / "data")
    assert run_command(["tokens", "--renew", "coach", "--config", str(config)]) == 0
    after = read_tokens(config.parent / "data")
    assert {user for user in before if before[user] != after[user]} == {"coach"}
    said = capsys.readouterr()
    assert f"token  coach.{after['coach']}\n" in said.out
    assert "once the bridge is started again" in said.err
    assert run_command(["tokens", "--renew", "nobody", "--config", str(config)]) == 2
    assert "known are bridge, coach, athlete-anna" in capsys.readouterr().err


def test_an_open_page_is_shown_under_its_name(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(
        config.read_text() + '[dashboard]\nhost = "0.0.0.0"\n[network]\nnames = ["gym-pc.local"]\n'
    )
    assert run_command(["tokens", "--config", str(config)]) == 2
    assert "hipline certificates create" in capsys.readouterr().err
    assert run_command(["certificates", "create", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert "Certificate Trust Settings" in said
    assert str(CertificateFiles.of(config.parent / "data").authority) in said
    assert run_command(["tokens", "--config", str(config)]) == 0
    assert "page   https://gym-pc.local:8321/#token=coach." in capsys.readouterr().out
    config.write_text(config.read_text().replace('host = "0.0.0.0"', ""))
    assert run_command(["tokens", "--config", str(config)]) == 0
    assert "page   http://127.0.0.1:8321/#token=coach." in capsys.readouterr().out
    assert run_command(["tokens", "--network", "--config", str(config)]) == 0
    assert "page   https://gym-pc.local:8321/#token=coach." in capsys.readouterr().out
    assert run_command(["certificates", "create", "--name", "tv.local", "--config", str(config)]) == 0
    assert "as before" in capsys.readouterr().out
