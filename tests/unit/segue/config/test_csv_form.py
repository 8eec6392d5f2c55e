"""The form of CSV files: what is read, and each wrong value in one sentence."""

import re
from datetime import UTC, datetime

import duckdb
import pytest

from segue.config import csv_form
from segue.config.csv_form import csv_table
from trainer.warehouse import Csv


def test_encoding_numbers_and_dates() -> None:
    dates = ["%d.%m.%Y, %H:%M", "%-m/%-d/%y"]
    given = {"encoding": "cp1252", "decimal": ",", "thousands": ".", "dates": dates}
    assert csv_table(given) == given | {"dates": tuple(dates)}
    # A comma does not separate two forms.
    assert csv_table({"dates": "%b %d, %Y"}) == {"dates": ("%b %d, %Y",)}
    assert csv_table({"thousands": "", "dates": []}) == {"thousands": "", "dates": ()}


def test_every_field_is_one_of_the_trainer_s() -> None:
    assert set(csv_form._FIELDS) == set(Csv.__dataclass_fields__)


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ({"encoding": "latin-99"}, "'latin-99' is no encoding of text that Python knows: give one such as"),
        ({"encoding": "base64"}, "'base64' is no encoding of text that Python knows: give one such as"),
        ({"encoding": "a\0b"}, "'a\\x00b' is no encoding of text that Python knows: give one such as"),
        ({"encoding": 8}, "8 is no encoding of text that Python knows: give one such as"),
        ({"decimal": ";"}, 'give decimal as "." or ","'),
        ({"decimal": [1]}, 'give decimal as "." or ","'),
        ({"thousands": ".."}, "give thousands as one character"),
        ({"thousands": "1"}, "give thousands as one character"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands are both ',': give each its own mark"),
        ({"thousands": "."}, "decimal and thousands are both '.': give each its own mark"),
        ({"dates": "%d.%m.%Y %Q"}, "in '%d.%m.%Y %Q' %Q is no part of a time: write dates as for strptime"),
        ({"dates": "%d.%m.%Y %"}, "is no part of a time: write dates as for strptime"),
        ({"dates": "DD.MM.YYYY"}, "'DD.MM.YYYY' lacks the year, the month or the day: write dates as for"),
        ({"dates": "%j %H:%M"}, "'%j %H:%M' lacks the year, the month or the day"),
        ({"dates": ["%d.%m.%Y", "%H:%M"]}, "'%H:%M' lacks the year, the month or the day"),
        (
            {"dates": ["%d.%m.%Y", "%d.%m.%Y %-I:%M"]},
            "in '%d.%m.%Y %-I:%M' %I reads 02:05 in the afternoon as in the morning: add %p for AM and PM",
        ),
        ({"dates": 7}, "give a list of texts"),
    ],
)
def test_a_form_that_is_none(given: dict[str, object], fix: str) -> None:
    with pytest.raises(ValueError, match=re.escape(fix)) as caught:
        csv_table(given)
    assert str(caught.value).isprintable()


def test_duckdb_reads_every_part_of_a_time_that_a_form_may_have() -> None:
    at = datetime(2024, 2, 29, 14, 5, 6, 7, tzinfo=UTC)
    with duckdb.connect() as connection:
        for part in sorted(csv_form._DIRECTIVES):
            form = f"%Y-%m-%d %{part}" if part not in "Yymdj" else f"%{part}"
            read = connection.execute("select try_strptime(?, [?])", [at.strftime(form), form]).fetchone()
            assert read is not None
            assert read[0] is not None, form
