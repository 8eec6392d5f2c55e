"""Where a sink cannot write is said at once, in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.cli.main import run
from segue.sink.sink_address import server_parts

FORM = "write it as postgresql://user@host:5432/database"
KEYWORDS = (
    "keywords of PostgreSQL (such as host=… dbname=…): "
    "write it as postgresql://user:password@host:port/dbname"
)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEGUE_KAFKA", "127.0.0.1:1")  # nobody asks it
    for name in ("SEGUE_CONFIG", "PGHOST", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("to", "code", "sentence"),
    [
        ("postgresql://a:s3cret@h:99999/d", 2, "the PostgreSQL URL has the port 99999: give a number from 1"),
        ("postgresql://a:s3cret@h:0/d", 2, "the PostgreSQL URL has the port 0: give a number from 1 to"),
        ("postgresql://a@h:s3cret@h/d", 2, f"the PostgreSQL URL has a port that is no number: {FORM}"),
        ("postgresql://h:1,i:70000/d", 2, "the PostgreSQL URL has the port 70000: give a number from 1"),
        ("postgresql://a:s3cret@/d", 2, f"the PostgreSQL URL names no host: {FORM}"),
        ("postgresql://a:s3cret@h", 2, f"the PostgreSQL URL names no database: {FORM}"),
        ("postgresql://a:s3cret@127.0.0.1:1/d?sslmode=on", 3, "PostgreSQL database d at 127.0.0.1:1 cannot"),
        ("mysql://a:s3cret@h/d", 2, "option --to is 'mysql:…': name a folder or a postgresql:// URL"),
        ("postgresql:/a:s3cret@h/d", 2, "option --to is 'postgresql:…': name a folder or a postgresql://"),
        ("POSTGRESQL://a:s3cret@h/d", 2, "option --to is 'POSTGRESQL:…': name a folder or a postgresql://"),
        ("host=h dbname=d user=a password=s3cret", 2, f"the address is in {KEYWORDS}"),
        (" ", 2, "option --to is ' ': name a folder or a postgresql:// URL"),
        ("a file", 2, "folder a file cannot be made: a file is a file, so name another folder"),
        ("out.toml", 2, "out.toml is named like a file, and a sink writes several files: name a folder"),
        ("a file/in/it", 2, "folder a file/in/it cannot be made: a file is a file, so name another"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_once(
    to: str, code: int, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a file").write_text("not a folder")
    assert run(["sink", "--to", to]) == code
    said = capsys.readouterr().err
    assert said.startswith(f"Error: {sentence}")
    assert len(said.splitlines()) == 1
    assert "s3cret" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["a file"]


def test_a_folder_that_cannot_be_written_is_refused_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody, not even root, can make a folder there."""
    assert run(["sink", "--to", "/proc/segments"]) == 3
    said = capsys.readouterr().err
    assert said.startswith("Error: folder /proc/segments cannot be written: ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a@h/d",
        "postgresql://a@[::1]:5433/d",
        "postgresql://h:1,i:65535/d",
        "postgresql://a@/d?host=/run/postgresql",
        "postgresql://?hostaddr=127.0.0.1&dbname=d",
        "postgresql://?service=shop",
    ],
)
def test_an_address_that_names_a_server_and_a_database_is_taken(url: str) -> None:
    assert server_parts(url)
