"""What an answer means: taken, try again, or never."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from segue.triggers.sending.post_webhook import MAX_RETRY_AFTER_S, Answer, Poster, _seconds
from tests.support.servers.webhook_receiver import Reply, WebhookReceiver

NOW = datetime(2024, 12, 3, 19, 30, tzinfo=UTC)


def posted(reply: Reply, timeout_s: float = 5.0) -> Answer:
    with WebhookReceiver(lambda _id: reply) as receiver:
        return Poster(1, timeout_s).post(receiver.url, b"{}", {"webhook-id": "a"})


@pytest.mark.parametrize("status", [200, 202, 204])
def test_2xx_is_taken(status: int) -> None:
    assert posted(Reply(status)) == Answer(taken=True)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413, 422])
def test_a_refusal_is_final(status: int) -> None:
    answer = posted(Reply(status))
    assert (answer.taken, answer.final) == (False, True)
    assert str(status) in answer.reason


@pytest.mark.parametrize("status", [301, 302, 307, 408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    answer = posted(Reply(status, {"Location": "http://127.0.0.1:1/"}))
    assert (answer.taken, answer.final) == (False, False)


def test_a_receiver_that_hangs_or_closes_or_is_away_is_tried_again() -> None:
    late, closed = posted(Reply(late_s=1.0), 0.2), posted(Reply(None))
    assert late == Answer(taken=False, reason="the receiver did not answer (no answer within 0.2 s)")
    assert closed == Answer(taken=False, reason="the receiver did not answer (the connection broke)")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        away = Poster(1, 1.0).post(f"http://127.0.0.1:{unused.getsockname()[1]}/secret", b"{}", {})
    assert away == Answer(taken=False, reason="the receiver did not answer (no connection)")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("Tue, 03 Dec 2024 19:31:00 GMT", 60.0),
        ("Tue, 03 Dec 2024 19:29:00 GMT", 0.0),
        ("99999999999999", MAX_RETRY_AFTER_S),
        ("9" * 5_000, MAX_RETRY_AFTER_S),
        ("0000000000007", 7.0),
        ("Wed, 21 Oct 2015 07:28:00 +99999999999999999", None),
        ("Wed, 99999999999999999999 Oct 2015 07:28:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2300", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -2300", MAX_RETRY_AFTER_S),
        ("nan", None),
        ("inf", None),
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert _seconds(text, NOW) == seconds
    if seconds == 7.0:
        assert posted(Reply(503, {"Retry-After": "7"})).retry_after_s == 7.0


@pytest.mark.parametrize(
    "head",
    [
        b"Retry-After: Wed, 21 Oct 2015 07:28:00 +99999999999999999",
        b"Retry-After: \xff\xfe\r\nRetry-After: " + b"9" * 60_000,
        b"Content-Length: " + b"9" * 5_000,
        b"Content-Length: 3, 4",
        b"Content-Length: -3",
        b"Content-Length: \xb2",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3",
        b"Content-Length: 3\r\nContent-Encoding: gzip",
        b"Content-Length: 3\r\nContent-Encoding: " + b",".join([b"gzip"] * 50),
        b"Content-Length: 3\r\nContent-Type: \x00; charset=\xff",
        b"\xff\x00: :\r\n : \r\n:",
        b"X: " + b"x" * 100_000,
        b"X: x\r\n" * 500,
    ],
    ids=range(13),
)
def test_no_header_and_no_body_is_an_error_of_the_sender(head: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 503 \xff\r\n" + head + b"\r\n\r\n\xff\x00\r")

        threading.Thread(target=serve, daemon=True).start()
        answer = Poster(1, 5.0).post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
    assert (answer.taken, answer.final) == (False, False)


def test_a_body_without_an_end_keeps_nobody_waiting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx")
                while True:
                    time.sleep(0.05)
                    connection.sendall(b"x")

        threading.Thread(target=drip, daemon=True).start()
        began_s = time.monotonic()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert Poster(1, 60.0).post(url, b"{}", {}) == Answer(taken=True)
        assert time.monotonic() - began_s < 30


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\nX-A: "], ids=["status", "headers"])
def test_an_answer_that_drips_ends_at_the_timeout(before: bytes) -> None:
    """No pause between two bytes is longer than the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    connection.recv(10_000)
                    connection.sendall(before)
                    for byte in 20 * b"HTTP/1.1 200 OK " if not before else 400 * b"x":
                        time.sleep(0.05)
                        connection.sendall(bytes([byte]))

        threading.Thread(target=drip, daemon=True).start()
        began_s = time.monotonic()
        poster = Poster(1, 0.4)
        for _ in range(2):
            answer = poster.post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
            # A receiver that said 200 has taken it.
            assert answer == (
                Answer(taken=True)
                if before
                else Answer(taken=False, reason="the receiver did not answer (no answer within 0.4 s)")
            )
        assert time.monotonic() - began_s < 3


def test_connections_are_used_again() -> None:
    ports = set()
    with WebhookReceiver() as receiver:
        poster = Poster(1, 5.0)
        for _ in range(3):
            assert poster.post(receiver.url, b"{}", {"webhook-id": "a"}).taken
            ports.add(receiver.peers[-1])
    assert len(ports) == 1
