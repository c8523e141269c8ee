"""``hipline sensors conformance``: examining a sensor against the clauses of the protocol page."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from firmware_protocol.packets import PROTOCOL_VERSION
from sensor_bridge.commands.output_files import check_outputs
from sensor_bridge.commands.sensor_access import asked_sensor, chosen_adapter, step
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.config_file import load_config
from sensor_bridge.conformance.examination import chosen_clauses, examine
from sensor_bridge.conformance.verdict import Finding, Verdict
from sensor_bridge.errors import UserInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from firmware_protocol.clauses import Clause
    from sensor_bridge.config import Config

_SEARCH_S: Final = 15.0
_FORMAT: Final = "hipline-conformance/1"
_MARKS: Final = {Verdict.PASSED: "pass", Verdict.FAILED: "FAIL", Verdict.NOT_EXAMINED: "-"}


def examine_sensor(
    word: str,
    only: Sequence[str],
    config_path: Path | None,
    virtual_port: int | None,
    *,
    patience_s: float,
    json_path: Path | None,
) -> int:
    """Examine a sensor, print a line a clause, and count.

    Returns
    -------
    int
        Exit code: 1 where a clause has failed, else 0.

    Raises
    ------
    BridgeError
        It is not there, its link cannot be made, there is no such clause, or the file cannot be written.
    """
    clauses = chosen_clauses(only)
    check_outputs([json_path], source=word)
    findings: list[Finding] = []
    try:
        asyncio.run(_examine(word, clauses, load_config(config_path), virtual_port, patience_s, findings))
    except BaseException:
        try:
            _write(json_path, word, findings)
        except UserInputError as error:  # what ended the examination is told as its end
            Console(stderr=True, highlight=False).print(f"hipline: {error}", markup=False, soft_wrap=True)
        raise
    count = Counter(finding.verdict for finding in findings)
    told = ", ".join(f"{count[verdict]} {verdict}" for verdict in Verdict)
    Console(highlight=False).print(f"\n{told}.")
    _write(json_path, word, findings)
    return 1 if count[Verdict.FAILED] else 0


async def _examine(
    word: str,
    clauses: Sequence[Clause],
    config: Config,
    virtual_port: int | None,
    patience_s: float,
    findings: list[Finding],
) -> None:
    console = Console(highlight=False)
    async with chosen_adapter(config, virtual_port) as adapter:
        with step(f"listening for {word} ..."):
            found = await adapter.find(asked_sensor(word, config), _SEARCH_S)
        with _progress(console, len(clauses)) as told:
            async for finding in examine(adapter, found, clauses, patience_s=patience_s):
                findings.append(finding)
                console.print(_line(finding), markup=False, soft_wrap=True)
                told(len(findings))


@contextmanager
def _progress(console: Console, n_clauses: int) -> Iterator[Callable[[int], None]]:
    """Say below the lines how far the examination is, where they stand on a terminal."""
    if not console.is_terminal:
        with step(f"examining {n_clauses} clauses ..."):
            yield lambda _: None
        return
    with console.status(f"examining clause 1 of {n_clauses} ...") as status:
        yield lambda done: status.update(f"examining clause {min(done + 1, n_clauses)} of {n_clauses} ...")


def _line(finding: Finding) -> str:
    clause = finding.clause
    line = f"{_MARKS[finding.verdict]:<5}{clause.id:<24}{clause.demand}"
    return printable(f"{line}: {finding.detail}" if finding.detail else line)


def _write(path: Path | None, word: str, findings: Sequence[Finding]) -> None:
    if path is None:
        return
    document = json.dumps(_document(word, findings), indent=1, ensure_ascii=False)
    try:
        path.write_text(document + "\n", encoding="utf-8")
    except OSError as error:
        raise UserInputError(
            f"{path}: the findings cannot be written: {error.strerror}; name another file with --json"
        ) from error


def _document(word: str, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "sensor": word,
        "protocol_version": PROTOCOL_VERSION,
        "clauses": [
            {
                "id": finding.clause.id,
                "section": finding.clause.section,
                "demand": finding.clause.demand,
                "verdict": str(finding.verdict),
                "detail": finding.detail,
            }
            for finding in findings
        ],
    }
