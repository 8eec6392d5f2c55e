from __future__ import annotations

import socket

import pytest

from segue.config.command_line import BadUsage
from segue.console.run_console import address_of, check_token, listening


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_machine_needs_no_token(host: str) -> None:
    check_token(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "shop.example", ""])
def test_an_address_that_others_reach_needs_one(host: str) -> None:
    with pytest.raises(BadUsage, match="readers must give a token: set SEGUE_CONSOLE_TOKEN"):
        check_token(host, None)
    check_token(host, "0123456789abcdef")


def test_a_short_token_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadUsage, match="has 7 characters: give at least 16") as refused:
        check_token("127.0.0.1", "hunter2")
    assert "hunter2" not in str(refused.value)


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            BadUsage,
            match=rf"cannot listen on 127.0.0.1:{port} \(Address already in use\): give",
        ):
            listening("127.0.0.1", port)


def test_any_free_port_is_named() -> None:
    with listening("127.0.0.1", 0) as free:
        assert address_of("127.0.0.1", free) == f"http://127.0.0.1:{free.getsockname()[1]}"
        assert address_of("::1", free).startswith("http://[::1]:")
