from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.store import FILE_NAME
from sensor_bridge.dashboard.api import ArchiveApi
from sensor_bridge.dashboard.server import DashboardServer, DashboardSettings
from sensor_bridge.report.page import report_policy
from tests.sensor_bridge.archive.told import DAY_MS, START_MS, event_id, session_id, three_sessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SETTINGS = DashboardSettings(
    gym="gym-1",
    websocket_url="ws://127.0.0.1:9001/mqtt",
    users=KnownUsers({"coach": "s3cret", "athlete-ben": "s3cret"}),
)
COACH, BEN = "coach.s3cret", "athlete-ben.s3cret"
NEWEST = session_id(2)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    async with DashboardServer(SETTINGS, ArchiveApi(ArchiveReader(folder))) as server:
        yield server.url


async def ask(url: str, path: str, token: str | None = COACH) -> tuple[int, Any, dict[str, str]]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.get(url + path, headers=headers) as answer:
        body = await answer.read()
        is_json = answer.content_type == "application/json"
        return answer.status, json.loads(body) if is_json else body, dict(answer.headers)


async def test_the_page_is_told_that_there_is_an_archive(tmp_path: Path) -> None:
    async with serving(tmp_path) as url:
        _, told, _ = await ask(url, "config.json", None)
    assert told["hasArchive"] is True


async def test_a_coach_sees_who_trained_and_when(tmp_path: Path) -> None:
    three_sessions(tmp_path)
    async with serving(tmp_path) as url:
        status, athletes, headers = await ask(url, "api/v1/athletes")
        _, sessions, _ = await ask(url, "api/v1/sessions")
        _, of_ben, _ = await ask(url, "api/v1/sessions?athlete=ben")
        _, second, _ = await ask(url, f"api/v1/sessions?limit=1&before_ms={START_MS + 2 * DAY_MS}")
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert athletes[0] == {
        "athlete": "anna",
        "name": "Anna Berg",
        "sessions": 3,
        "last_ms": START_MS + 2 * DAY_MS,
    }
    assert [each["session"] for each in sessions] == [NEWEST, NEWEST, session_id(1), session_id(0)]
    assert sessions[-1] == {
        "session": session_id(0),
        "athlete": "anna",
        "name": "Anna Berg",
        "started_ms": START_MS,
        "ended_ms": START_MS + 3_600_000.0,
        "sets": 1,
        "repetitions": 3,
        "exercises": ["romanian_deadlift"],
        "faults": {"incomplete_lockout": 1, "repetition_aborted": 1},
    }
    assert [each["athlete"] for each in of_ben] == ["ben"]
    assert [each["session"] for each in second] == [session_id(1)]


async def test_a_session_is_told_whole(tmp_path: Path) -> None:
    three_sessions(tmp_path)
    async with serving(tmp_path) as url:
        status, told, _ = await ask(url, f"api/v1/sessions/{session_id(0)}/anna")
    assert status == 200
    assert [each["repetition"] for each in told["repetitions"]] == [1, 2, 3, 4]
    assert told["repetitions"][0]["id"] == event_id(0)
    assert told["repetitions"][3]["status"] == "withdrawn"
    assert [each["id"] for each in told["sets"]] == [event_id(4)]
    assert [each["text"] for each in told["notes"]] == ["note 0"]
    assert [each["code"] for each in told["faults"]] == ["repetition_aborted"]
    assert told["fault_counts"] == {"incomplete_lockout": 1, "repetition_aborted": 1}


async def test_progress_names_its_unit_and_what_would_be_a_change(tmp_path: Path) -> None:
    three_sessions(tmp_path)
    async with serving(tmp_path) as url:
        _, told, _ = await ask(url, "api/v1/athletes/anna/progress?exercise=romanian_deadlift")
    course = told["metrics"]["eccentric_s"]
    assert course["unit"] == "s"
    assert [each["session"] for each in course["sessions"]] == [session_id(n) for n in range(3)]
    assert course["minimal_detectable_change"] is None
    assert course["how"]
    assert told["exercises"] == ["romanian_deadlift"]


@pytest.mark.parametrize("token", [None, "", "coach", "coach.wrong", "COACH.s3cret", "athlete-anna.s3cret"])
async def test_without_a_good_token_nothing_is_told(tmp_path: Path, token: str | None) -> None:
    three_sessions(tmp_path)
    async with serving(tmp_path) as url:
        answers = [
            await ask(url, path, token)
            for path in (
                "api/v1/athletes",
                "api/v1/sessions",
                f"api/v1/sessions/{NEWEST}/anna",
                "api/v1/nothing",
            )
        ]
    for status, told, headers in answers:
        assert status == 401
        assert headers["WWW-Authenticate"] == "Bearer"
        assert list(told) == ["error"]


async def test_an_athlete_sees_only_own_sessions(tmp_path: Path) -> None:
    three_sessions(tmp_path)
    async with serving(tmp_path) as url:
        _, athletes, _ = await ask(url, "api/v1/athletes", BEN)
        _, sessions, _ = await ask(url, "api/v1/sessions", BEN)
        own, detail, _ = await ask(url, f"api/v1/sessions/{NEWEST}/ben", BEN)
        refused = [
            await ask(url, path, BEN)
            for path in (
                "api/v1/sessions?athlete=anna",
                f"api/v1/sessions/{NEWEST}/anna",
                f"api/v1/sessions/{NEWEST}/nobody",
                "api/v1/athletes/anna/progress",
            )
        ]
    assert [each["athlete"] for each in athletes] == ["ben"]
    assert [each["athlete"] for each in sessions] == ["ben"]
    assert own == 200
    assert detail["name"] == "Ben Öst"
    assert [status for status, _, _ in refused] == [403] * 4
    assert b"Anna" not in json.dumps([told for _, told, _ in refused]).encode()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("api/v1/sessions?limit=0", 400),
        ("api/v1/sessions?limit=1e9", 400),
        ("api/v1/sessions?limit=nan", 400),
        ("api/v1/sessions?limit=all", 400),
        ("api/v1/sessions?before_ms=inf", 400),
        ("api/v1/sessions?order=1;DROP%20TABLE%20event", 400),
        ("api/v1/sessions?athlete=%27%20OR%201=1%20--", 200),
        ("api/v1/athletes/anna/progress?exercise=" + "x" * 65, 400),
        ("api/v1/sessions/00000000-0000-7000-8000-000000000000/anna", 404),
        (f"api/v1/sessions/{NEWEST}/nobody", 404),
        (f"api/v1/sessions/{NEWEST.upper()}/anna", 404),
        (f"api/v1/sessions/{NEWEST}/ANNA", 404),
        (f"api/v1/sessions/..%2f..%2f{FILE_NAME}/anna", 404),
        (f"api/v1/sessions/{NEWEST}/..%2f..%2f{FILE_NAME}", 404),
        (f"api/v1/sessions/{NEWEST}/anna%00", 404),
        (f"api/v1/sessions/{NEWEST}/" + "a" * 64, 404),
        ("api/", 404),
        (f"{FILE_NAME}", 404),
    ],
)
async def test_hostile_questions_get_a_short_answer(tmp_path: Path, path: str, status: int) -> None:
    three_sessions(tmp_path)
    async with serving(tmp_path) as url:
        answered, told, _ = await ask(url, path)
        still, sessions, _ = await ask(url, "api/v1/sessions")
    assert answered == status
    assert told == [] if status == 200 else len(str(told)) < 200
    assert (still, len(sessions)) == (200, 4)


async def raw(url: str, request: bytes) -> bytes:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /api/v1/sessions?athlete=" + b"a" * 100_000 + b" HTTP/1.1",
        b"GET /api/v1/../../archive.sqlite HTTP/1.1",
        b"DELETE /api/v1/sessions HTTP/1.1",
        b"POST /api/v1/athletes HTTP/1.1",
    ],
)
async def test_requests_no_browser_makes_are_refused(tmp_path: Path, request_line: bytes) -> None:
    three_sessions(tmp_path)
    async with serving(tmp_path) as url:
        header = f"\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {COACH}\r\nContent-Length: 0\r\n\r\n".encode()
        status = (await raw(url, request_line + header)).split()[1]
        assert status in {b"400", b"404", b"405"}
        assert (await ask(url, "api/v1/athletes"))[0] == 200


async def test_a_damaged_archive_is_said_and_the_page_still_comes(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no archive" * 1000)
    async with serving(tmp_path) as url:
        status, told, _ = await ask(url, "api/v1/sessions")
        page, _, _ = await ask(url, "", None)
    assert status == 503
    assert "cannot be read" in told["error"]
    assert page == 200


def test_the_server_leaves_no_socket_behind(tmp_path: Path) -> None:
    async def serve() -> int:
        async with serving(tmp_path) as url:
            return urlsplit(url).port or 0

    port = asyncio.run(serve())
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_a_report_and_the_pictures_of_a_session_are_served(tmp_path: Path) -> None:
    three_sessions(tmp_path)
    async with serving(tmp_path) as url:
        status, page, headers = await ask(url, f"api/v1/sessions/{session_id(0)}/anna/report.html")
        _, pictures, _ = await ask(url, f"api/v1/sessions/{session_id(0)}/anna/pictures")
        unknown = [
            (await ask(url, f"api/v1/sessions/{session_id(9)}/anna/{what}"))[0]
            for what in ("report.html", "pictures")
        ]
        stranger, _, _ = await ask(url, f"api/v1/sessions/{session_id(0)}/anna/report.html", BEN)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"] == report_policy()
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert b"<title>Anna Berg, " in page
    assert pictures == [{"set": 1, "plot": None}]
    assert unknown == [404, 404]
    assert stranger == 403
