from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from sensor_bridge.access.doorkeeper import Doorkeeper, Limits, source_of
from sensor_bridge.access.guarded_socket import listen
from sensor_bridge.access.names import Names
from sensor_bridge.errors import ConfigError


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_who_comes_too_fast_waits_and_others_do_not() -> None:
    clock = Clock()
    door = Doorkeeper(Limits(connects_at_once=3, connects_per_s=0.5), clock)
    assert [door.admit("10.0.0.1") for _ in range(5)] == [True, True, True, False, False]
    assert door.admit("10.0.0.2")
    clock.now_s += 2.0
    assert [door.admit("10.0.0.1") for _ in range(2)] == [True, False]
    assert door.turned_away == 3


def test_open_connections_are_bounded_for_one_and_for_all() -> None:
    door = Doorkeeper(Limits(connections=3, connections_of_one=2))
    assert [door.admit("10.0.0.1") for _ in range(3)] == [True, True, False]
    assert door.admit("10.0.0.2")
    assert not door.admit("10.0.0.3")
    door.leave("10.0.0.1")
    assert door.admit("10.0.0.3")
    assert door.open_connections == 3


def test_wrong_tokens_are_counted_for_each_address() -> None:
    clock = Clock()
    door = Doorkeeper(Limits(failures_at_once=2, failures_per_s=1.0), clock)
    assert [door.failed("10.0.0.1") for _ in range(3)] == [False, False, True]
    assert not door.failed("10.0.0.2")
    clock.now_s += 1.0
    assert [door.failed("10.0.0.1") for _ in range(2)] == [False, True]


def test_addresses_of_one_household_are_one_source() -> None:
    assert source_of("2001:db8:1:2:aaaa::1") == source_of("2001:db8:1:2:bbbb::2")
    assert source_of("2001:db8:1:2::1") != source_of("2001:db8:1:3::1")
    assert source_of("::ffff:10.0.0.1") == source_of("10.0.0.1")
    assert source_of("fe80::1%eth0") == source_of("fe80::2%eth0")
    assert source_of("a pipe") == "a pipe"


def test_a_flood_of_sources_is_forgotten_not_kept() -> None:
    door = Doorkeeper(Limits(failures_at_once=1))
    for number in range(10_000):
        door.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(door._failures._left) <= 4096


async def everybody_has_left(door: Doorkeeper) -> None:
    async with asyncio.timeout(10):
        while door.open_connections:  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.01)


async def test_who_is_turned_away_is_closed_unread_and_leaves_make_room() -> None:
    door = Doorkeeper(Limits(connections_of_one=1))
    listening = listen("127.0.0.1", 0, door, "port")

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"welcome")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, sock=listening)
    port = listening.getsockname()[1]
    first, keep = await asyncio.open_connection("127.0.0.1", port)
    assert await first.readexactly(7) == b"welcome"
    turned_away, other = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionResetError):
        assert await turned_away.read() == b""
    assert door.open_connections == 1
    keep.close()
    other.close()
    await everybody_has_left(door)
    again, last = await asyncio.open_connection("127.0.0.1", port)
    assert await again.readexactly(7) == b"welcome"
    last.close()
    await everybody_has_left(door)
    server.close()
    await server.wait_closed()


def test_a_taken_port_and_a_strange_host_are_settings_to_mend() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"the\.key: port {port} of 127\.0\.0\.1 cannot be used"):
            listen("127.0.0.1", port, Doorkeeper(), "the.key")
    with pytest.raises(ConfigError, match=r"the\.key: .*choose a host of this machine"):
        listen("gym.invalid", 0, Doorkeeper(), "the.key")


def test_names_of_this_machine_and_no_others() -> None:
    local = Names()
    network = Names(frozenset({"gym-pc", "gym-pc.local"}), any_address=True)
    for names in (local, network):
        assert names.in_host("localhost:8321")
        assert names.in_host("127.0.0.1")
        assert names.in_host("[::1]:8321")
        assert names.in_origin("http://127.0.0.1:8321")
        for stranger in ("evil.example", "localhost.evil.example", "", "[", "127.0.0.1.evil.example:80"):
            assert not names.in_host(stranger)
        for stranger in (
            "null",
            "http://evil.example",
            "http://[",
            "file://",
            "http://127.0.0.1@evil.example",
        ):
            assert not names.in_origin(stranger)
    assert not local.in_host("192.168.1.5")
    assert not local.in_host("gym-pc")
    assert network.in_host("192.168.1.5:8321")
    assert network.in_host("GYM-PC.local.")
    assert network.in_origin("https://gym-pc:8321")
