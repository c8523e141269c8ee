from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sensor_bridge.access.doorkeeper import Doorkeeper, Limits
from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.dashboard.authorization import DOORKEEPER, USERS, user_of, user_who_may_see

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

USERS_HERE = KnownUsers({"coach": "c" * 26, "athlete-anna": "a" * 26})


@pytest.fixture
async def api() -> AsyncIterator[str]:
    async def who(request: web.Request) -> web.Response:
        return web.json_response(user_of(request).name)

    async def data(request: web.Request) -> web.Response:
        return web.json_response(user_who_may_see(request, request.match_info["athlete"]).name)

    app = web.Application()
    app[USERS] = USERS_HERE
    app[DOORKEEPER] = Doorkeeper(Limits(failures_at_once=5, failures_per_s=0.0))
    app.router.add_get("/who", who)
    app.router.add_get("/data/{athlete}", data)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


async def ask(url: str, authorization: str | None = None) -> tuple[int, object, str]:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers.get("WWW-Authenticate", "")


async def test_a_token_says_who_asks(api: str) -> None:
    assert await ask(f"{api}/who", f"Bearer coach.{'c' * 26}") == (200, "coach", "")
    assert await ask(f"{api}/who", f"bearer athlete-anna.{'a' * 26}") == (200, "athlete-anna", "")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer coach",
        "Bearer coach.",
        f"Basic coach.{'c' * 26}",
        "Bearer coach.\xe9",
    ],
)
async def test_nobody_else_gets_in(api: str, authorization: str | None) -> None:
    status, body, scheme = await ask(f"{api}/who", authorization)
    assert (status, scheme) == (401, "Bearer")
    assert body == {"error": "send a token that is in force: Authorization: Bearer <user>.<token>"}


async def test_athletes_get_their_own_data_and_coaches_everybodys(api: str) -> None:
    anna = f"Bearer athlete-anna.{'a' * 26}"
    assert (await ask(f"{api}/data/anna", anna))[:2] == (200, "athlete-anna")
    assert (await ask(f"{api}/data/bea", anna))[:2] == (403, {"error": "athlete-anna may see only own data"})
    assert (await ask(f"{api}/data/bea", f"Bearer coach.{'c' * 26}"))[:2] == (200, "coach")
    assert (await ask(f"{api}/data/anna"))[0] == 401


async def test_who_guesses_is_told_to_wait_and_locks_nobody_out(api: str) -> None:
    answers = [await ask(f"{api}/who", f"Bearer coach.{number}") for number in range(20)]
    assert [status for status, _, _ in answers] == [401] * 5 + [429] * 15
    assert answers[-1][1] == {"error": "too many wrong tokens from this address: wait a minute"}
    assert (await ask(f"{api}/who"))[0] == 401
    assert (await ask(f"{api}/who", f"Bearer coach.{'c' * 26}"))[:2] == (200, "coach")
