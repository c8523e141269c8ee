"""The HTTP API of the archive, ``/api/v1/``: who asks, for what, and the answer.

Reading happens in threads, two at a time at most: the event loop measures meanwhile.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, TypeVar

import msgspec
from aiohttp import web

from sensor_bridge.archive.exports import CONTENT_TYPES, ExportFormat, export_session, file_name
from sensor_bridge.archive.reading import MOST_SESSIONS
from sensor_bridge.dashboard.authorization import error_text, user_of, user_who_may_see
from sensor_bridge.errors import BridgeError, RecordingError
from sensor_bridge.mqtt.topics import ID_PATTERN
from sensor_bridge.report.page import report_policy
from sensor_bridge.report.session_reports import session_page, session_pictures

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sensor_bridge.archive.answers import SessionDetail
    from sensor_bridge.archive.reading import ArchiveReader
    from sensor_bridge.mqtt.users import User
    from sensor_bridge.report.set_pictures import SetPicture

_SESSION = r"{session:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}}"
_ATHLETE = f"{{athlete:{ID_PATTERN}}}"
_NO_SESSION = "there is no such session"
_FORMAT = f"{{format:{'|'.join(ExportFormat)}}}"
_AT_A_TIME = 2
_LONGEST_CODE = 64

Answer = TypeVar("Answer")


class ArchiveApi:
    """Answers for the archive.

    Parameters
    ----------
    reader
        Of the archive.
    """

    def __init__(self, reader: ArchiveReader) -> None:
        self._reader = reader
        self._at_a_time = asyncio.Semaphore(_AT_A_TIME)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; anything else below ``/api/`` is told not to exist."""
        session = f"/api/v1/sessions/{_SESSION}/{_ATHLETE}"
        return [
            web.get("/api/v1/athletes", self._guarded(self._athletes)),
            web.get("/api/v1/sessions", self._guarded(self._sessions)),
            web.get(session, self._guarded(self._session)),
            web.get(f"{session}/pictures", self._guarded(self._pictures)),
            web.get(f"{session}/report.html", self._guarded(self._report)),
            web.get(f"{session}/export.{_FORMAT}", self._guarded(self._export)),
            web.get(f"/api/v1/athletes/{_ATHLETE}/progress", self._guarded(self._progress)),
            web.get("/api/{rest:.*}", self._guarded(_nothing)),
        ]

    def _guarded(
        self, handler: Callable[[web.Request, User], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            athlete = request.match_info.get("athlete")
            user = user_of(request) if athlete is None else user_who_may_see(request, athlete)
            try:
                return await handler(request, user)
            except _BadQuery as error:
                return _problem(400, str(error))
            except BridgeError as error:
                return _problem(503, str(error))

        return guarded

    async def _athletes(self, _request: web.Request, user: User) -> web.Response:
        known = await self._read(self._reader.athletes)
        return _json([each for each in known if user.may_see(each.athlete)])

    async def _sessions(self, request: web.Request, user: User) -> web.Response:
        query = _query(request, {"athlete", "limit", "before_ms"})
        limit = _number(query, "limit", MOST_SESSIONS)
        if not 1 <= limit <= MOST_SESSIONS:
            raise _BadQuery(f"limit is from 1 to {MOST_SESSIONS}")
        before_ms = _number(query, "before_ms", math.inf)
        athlete = query.get("athlete", user.athlete)
        if athlete is not None:
            user_who_may_see(request, athlete)
        return _json(
            await self._read(
                lambda: self._reader.sessions(
                    athlete, limit=int(limit), before_ms=before_ms if math.isfinite(before_ms) else None
                )
            )
        )

    async def _session(self, request: web.Request, _user: User) -> web.Response:
        session, athlete = request.match_info["session"], request.match_info["athlete"]
        found = await self._read(lambda: self._reader.session(session, athlete))
        return _json(found) if found is not None else _problem(404, _NO_SESSION)

    async def _pictures(self, request: web.Request, _user: User) -> web.Response:
        def draw() -> list[SetPicture] | None:
            detail = self._detail(request)
            return (
                None if detail is None else session_pictures(detail, self._reader.folder_of(detail.session))
            )

        found = await self._read(draw)
        answer = _json(found) if found is not None else _problem(404, _NO_SESSION)
        answer.enable_compression()
        return answer

    async def _report(self, request: web.Request, _user: User) -> web.Response:
        now_ms = time.time() * 1000.0

        def write() -> str | None:
            detail = self._detail(request)
            folder = self._reader.folder_of(request.match_info["session"])
            return None if detail is None else session_page(detail, folder, now_ms=now_ms)

        page = await self._read(write)
        if page is None:
            return _problem(404, _NO_SESSION)
        answer = web.Response(
            text=page,
            content_type="text/html",
            headers={"Cache-Control": "no-store", "Content-Security-Policy": report_policy()},
        )
        answer.enable_compression()
        return answer

    def _detail(self, request: web.Request) -> SessionDetail | None:
        return self._reader.session(request.match_info["session"], request.match_info["athlete"])

    async def _export(self, request: web.Request, _user: User) -> web.Response:
        session, athlete = request.match_info["session"], request.match_info["athlete"]
        wanted = ExportFormat(request.match_info["format"])

        def export() -> tuple[str, bytes] | None:
            detail = self._reader.session(session, athlete)
            if detail is None:
                return None
            return file_name(wanted, detail), export_session(wanted, detail, self._reader.folder_of(session))

        try:
            found = await self._read(export)
        except RecordingError as error:
            return _problem(404, str(error))
        if found is None:
            return _problem(404, _NO_SESSION)
        name, body = found
        return web.Response(
            body=body,
            content_type=CONTENT_TYPES[wanted],
            headers={"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _progress(self, request: web.Request, _user: User) -> web.Response:
        exercise = _query(request, {"exercise"}).get("exercise")
        if exercise is not None and len(exercise) > _LONGEST_CODE:
            raise _BadQuery("exercise is an exercise code")
        athlete = request.match_info["athlete"]
        return _json(await self._read(lambda: self._reader.progress(athlete, exercise)))

    async def _read(self, read: Callable[[], Answer]) -> Answer:
        async with self._at_a_time:
            return await asyncio.to_thread(read)


class _BadQuery(Exception):  # noqa: N818 - named for what was met
    """A query that is not understood."""


async def _nothing(_request: web.Request, _user: User) -> web.Response:
    return _problem(404, "there is nothing here")


def _query(request: web.Request, known: set[str]) -> dict[str, str]:
    unknown = set(request.query) - known
    if unknown:
        raise _BadQuery(f"unknown in the query: {', '.join(sorted(unknown))[:80]}")
    return dict(request.query)


def _number(query: dict[str, str], name: str, default: float) -> float:
    text = query.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _BadQuery(f"{name} is a number")
    return value


def _json(answer: object) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(answer),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _problem(status: int, text: str) -> web.Response:
    return web.Response(
        text=error_text(text),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
