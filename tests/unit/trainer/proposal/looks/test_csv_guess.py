"""The encoding and the separator of a file, found from its bytes."""

import codecs
from pathlib import Path

import pytest

from trainer.proposal.looks.csv_guess import csv_form, separator_of


@pytest.mark.parametrize(
    ("content", "encoding", "separator", "shows"),
    [
        (b"a,b\n1,2\n", "utf-8", ",", False),
        ("a;b\nä;2,5\n".encode(), "utf-8", ";", True),
        ("a;b\r\nä;2,5\r\n".encode("cp1252"), "cp1252", ";", True),
        ("Data złożenia;b\nX;2,5\n".encode("cp1250"), "cp1250", ";", True),
        ("a;l’été d’où; m³/h ½ l\nñandú;2,5;7 €\n".encode("cp1252"), "cp1252", ";", True),
        ("ŹRÓDŁO;b\nX;2,5\n".encode("cp1250"), "cp1250", ";", True),
        ("注文番号,カテゴリー\n1,茶\n".encode("cp932"), "cp932", ",", True),
        (b"a\tb\n\x81\t2\n", "latin-1", "\t", True),
        (codecs.BOM_UTF8 + "a|b\nä|2\n".encode(), "utf-8", "|", False),
        ("a\tb\nä\t2\n".encode("utf-16"), "utf-8", "\t", False),
    ],
)
def test_a_form(content: bytes, encoding: str, separator: str, shows: bool, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)

    form, shown = csv_form(file, {})

    assert (form.encoding, form.separator, shown) == (encoding, separator, shows)


def test_an_umlaut_far_behind_the_beginning_counts(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a,b\n" + b"1,2\n" * 100_000 + "ä,3\n".encode("cp1252"))

    assert csv_form(file, {})[0].encoding == "cp1252"


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ('name;note\n"a, b";"c, d, e"\nx;y\n', ";"),
        ("a;b;c\n1,5;2,5;3,5\n", ";"),
        ('a,b\n"x;y;z",1\n', ","),
        ("name\nx\n", ","),
        ("sep=;\r\nname;a,b,c\r\nx;y,z,w\r\n", ";"),
        ("", ","),
    ],
)
def test_separators(text: str, separator: str) -> None:
    assert separator_of(text) == separator
