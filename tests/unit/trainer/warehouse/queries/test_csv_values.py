"""Times of CSV files: what Python's strptime refuses, the SQL refuses under the same forms."""

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb
from hypothesis import example, given
from hypothesis import strategies as st
from sqlglot import exp

from tests.support.inputs.laws import examples
from trainer.warehouse import Csv
from trainer.warehouse.queries.csv_values import as_declared

FORMS = (
    "%d.%m.%Y %H:%M",
    "%m/%d/%y %I:%M %p",
    "%Y-%m-%dT%H:%M:%S%z",
    "%a %b %d %H:%M:%S %z %Y",
    "%z %j %Y",
    "%d.%m.%Y",
)
OFFSETS = ("+0100", "-03:30", "+2359", "+2400", "+9900", "+0160")
# By part of a form, texts that it reads, some of which are no part of any time.
_NUMBERS = {"d": (0, 32), "m": (0, 13), "y": (0, 99), "H": (0, 25), "I": (0, 13), "M": (0, 61), "S": (0, 59)}


def _texts(form: str) -> st.SearchStrategy[str]:
    parts = [st.just(form.partition("%")[0])]
    for part in form.split("%")[1:]:
        parts += [_values(part[0]), st.just(part[1:])]
    return st.tuples(*parts).map("".join)


def _values(letter: str) -> st.SearchStrategy[str]:
    match letter:
        case "z":
            return st.sampled_from(OFFSETS)
        case "p":
            return st.sampled_from(("AM", "PM"))
        case "b":
            return st.sampled_from(("Feb", "Apr", "Dec"))
        case "a":
            return st.sampled_from(("Mon", "Sun"))
        case "Y":
            return st.sampled_from(("1900", "2023", "2024"))
        case "j":
            return st.integers(364, 367).map(str)
    return st.integers(*_NUMBERS[letter]).map("{:02}".format)


def _as_sql_reads(texts: Sequence[str], forms: tuple[str, ...]) -> list[datetime | None]:
    column = as_declared(exp.column("x"), "time", Csv(dates=forms)).sql(dialect="duckdb")
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read = f"select try_cast({column} as timestamptz)::timestamp from (select unnest(?) as x)"
        return [at for (at,) in connection.execute(read, [texts]).fetchall()]


def _as_python_reads(text: str, forms: Sequence[str]) -> datetime | None:
    for form in forms:
        try:
            at = datetime.strptime(text, form)  # noqa: DTZ007 - without an offset it is UTC
        except ValueError:
            continue
        return (at.astimezone(UTC) if at.tzinfo else at).replace(tzinfo=None)
    return None


@examples(15)
@example(FORMS, ["31.02.2024 10:00", "29.02.2023", "2024-02-31T10:00:00+0100", "2024-02-01T10:00:00+9900"])
@given(
    forms=st.lists(st.sampled_from(FORMS), min_size=1, max_size=3, unique=True).map(tuple),
    texts=st.lists(st.one_of([_texts(form) for form in FORMS]), min_size=20, max_size=40),
)
def test_a_time_is_that_of_strptime_or_none(forms: tuple[str, ...], texts: list[str]) -> None:
    wanted = [_as_python_reads(text, forms) for text in texts]
    assert dict(zip(texts, _as_sql_reads(texts, forms), strict=True)) == dict(zip(texts, wanted, strict=True))
