"""What was prescribed by command: it holds until another is, or the configuration asks for something else."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from sensor_bridge.config import Config, PrescriptionConfig
from sensor_bridge.errors import BridgeError
from sensor_bridge.mqtt.command_payloads import ArgumentError
from sensor_bridge.private_file import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sensor_bridge.mqtt.command_payloads import Prescribe

log = logging.getLogger(__name__)

_NAME: Final = "prescribed.json"
_NAMES: Final = {"support": "is_supported"}  # where the command says it in another word


def prescription_of(asked: Prescribe) -> PrescriptionConfig | None:
    """Read what a command prescribes; None: nothing.

    Raises
    ------
    ArgumentError
        One line: what is missing, or which part is wrong.
    """
    told = {
        _NAMES.get(name, name): value
        for name in asked.__struct_fields__
        if name != "athlete" and (value := getattr(asked, name)) is not None
    }
    if not told:
        return None
    try:
        return PrescriptionConfig.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ArgumentError(f"prescribe: {where}: {first['msg'].removeprefix('Value error, ')}") from error


class PrescriptionStore:
    """The last prescription of each athlete, on disk for the sessions to come.

    Parameters
    ----------
    data_folder
        Where the bridge keeps its data.
    config
        What is asked without it.
    """

    def __init__(self, data_folder: Path, config: Config) -> None:
        self._path = data_folder / _NAME
        self._configured = {athlete.id: _dumped(athlete.prescription) for athlete in config.athletes}

    def overrides(self) -> dict[str, Any]:
        """Return what was prescribed by athlete, where the configuration has not changed since."""
        return {
            athlete: entry["prescribed"]
            for athlete, entry in self._read().items()
            if athlete in self._configured and entry["configured"] == self._configured[athlete]
        }

    def keep(self, athlete_id: str, prescribed: PrescriptionConfig | None) -> None:
        """Keep what was prescribed; a disk that refuses is told of in the log."""
        entry = {"configured": self._configured[athlete_id], "prescribed": _dumped(prescribed)}
        text = json.dumps(self._read() | {athlete_id: entry}, indent=1)
        beside = self._path.with_suffix(".new")
        try:
            beside.touch(mode=0o600)
            beside.write_text(text + "\n", encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            log.error("%s: this prescription is not kept: %s", self._path, error.strerror)  # noqa: TRY400

    def _read(self) -> dict[str, Any]:
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(athlete): {**entry} for athlete, entry in entries.items() if _is_entry(entry)}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            log.warning("%s: left aside: %s", self._path, error)
            return {}


def forget_prescription(data_folder: Path, athlete_id: str) -> bool:
    """Take an athlete out of what is kept for the sessions to come; return whether there was anything.

    Raises
    ------
    BridgeError
        The file cannot be read or written.
    """
    path = data_folder / _NAME
    try:
        entries = json.loads(path.read_bytes())
        is_there = entries.pop(athlete_id, None) is not None
    except FileNotFoundError:
        return False
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise BridgeError(f"{path}: cannot be read, delete it by hand: {error}") from error
    if is_there:
        write_private(path, json.dumps(entries, indent=1).encode() + b"\n")
    return is_there


def with_prescriptions(config: Config, overrides: Mapping[str, Any]) -> Config:
    """Put what was prescribed in the place of what is configured.

    Parameters
    ----------
    config
        As its file says.
    overrides
        By athlete, as `PrescriptionStore.overrides` gives them and a session's header keeps them.
    """
    athletes = []
    for athlete in config.athletes:
        if athlete.id in overrides:
            told = overrides[athlete.id]
            try:
                prescription = None if told is None else PrescriptionConfig.model_validate(told)
            except ValidationError:
                log.warning("what was prescribed for %s is not understood any more: left aside", athlete.id)
            else:
                athlete = athlete.model_copy(update={"prescription": prescription})  # noqa: PLW2901
        athletes.append(athlete)
    return config.model_copy(update={"athletes": type(config.athletes)(athletes)})


def _dumped(prescription: PrescriptionConfig | None) -> dict[str, Any] | None:
    return None if prescription is None else prescription.model_dump(mode="json")


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.keys() >= {"configured", "prescribed"}
