"""CSV files as others write them: encodings, decimal marks, dates. Declared, or refused in one sentence."""

import csv
import errno
import gzip
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadWarehouse, NoRoom
from schemas.features import Feature
from tests.support.inputs.laws import examples
from tests.support.inputs.shops import NEW_YEAR, Row, Shop, write_csv, write_parquet
from trainer.warehouse import Csv, Names, Reading, open_warehouse

SPAIN = (
    Shop()
    .user("7", "2016-01-31 14:05:00", age="25.5", gender="ñ", country="España")
    .user("8", "2017-12-01 00:00:00", age="40", country="Österreich")
    .order("1", "7", [{"sale_price": "1234567.25", "quantity": "1000"}, "Café/Tés"], "2018-02-03 04:05:06")
)


def rewritten(
    shop: Shop, folder: Path, form: Csv, number: Callable[[str], str], *, zipped: bool = False
) -> Path:
    """Write a shop in another form; ``number`` writes a number."""
    changed = Shop(
        [_changed(row, form, number) for row in shop.users],
        [_changed(row, form, number) for row in shop.orders],
        [_changed(row, form, number) for row in shop.order_items],
        shop.inventory_items,
    )
    for file in write_csv(changed, folder).iterdir():
        with file.open(newline="", encoding="utf-8") as text:
            rows = list(csv.reader(text))
        target = file.with_suffix(".csv.gz") if zipped else file
        file.unlink()
        with (
            gzip.open(target, "wt", encoding=form.encoding, newline="")
            if zipped
            else target.open("w", encoding=form.encoding, newline="")
        ) as out:
            csv.writer(out, delimiter=form.separator).writerows(rows)
    return folder


def _changed(row: Row, form: Csv, number: Callable[[str], str]) -> Row:
    changed = dict(row)
    for name, value in row.items():
        if value and name in ("age", "sale_price", "quantity"):
            changed[name] = number(value)
        if value and name == "created_at" and form.dates:
            changed[name] = datetime.fromisoformat(value).strftime(form.dates[0])
    return changed


def with_comma(thousands: str) -> Callable[[str], str]:
    def written(value: str) -> str:
        whole, point, rest = value.partition(".")
        grouped = f"{int(whole):,}".replace(",", thousands) if abs(int(whole)) > 999 else whole
        return grouped + ("," if point else "") + rest

    return written


def all_of(folder: Path, form: Csv) -> list[object]:
    with open_warehouse(folder, reading=Reading(form)) as warehouse:
        assert not [note for note in warehouse.notes() if note.startswith("left out")]
        return [warehouse.features().to_pylist(), list(warehouse.events())]


NUMBERS = st.one_of(
    st.decimals(-(10**9), 10**9, places=2, allow_nan=False).map(str),
    st.integers(-(10**9), 10**9).map(str),
)
AGES = st.one_of(st.integers(0, 150).map(str), st.integers(0, 149).map(lambda age: f"{age}.5"))
# Whole minutes; two digits of a year are those of 1969 to 2068.
TIMES = st.integers(-24 * 60 * 365 * 50, 24 * 60 * 365 * 40).map(
    lambda minutes: (NEW_YEAR + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
)
WORDS = st.text("aZñÖßé ;,\t'\"\n|", max_size=6)
FORMS = st.builds(
    Csv,
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-be", "utf-32"]),
    decimal=st.just(","),
    dates=st.sampled_from([("%d.%m.%Y %H:%M",), ("%m/%d/%Y %I:%M %p", "%Y"), ("%H:%M %d-%b-%y", "%d")]),
)


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    shop = Shop().user("7")
    for number in range(draw(st.integers(1, 3))):
        country = draw(WORDS)
        shop.user(f"u{number}", draw(TIMES), age=draw(AGES), country=country)
        price, quantity = draw(NUMBERS), str(draw(st.integers(1, 10**7)))
        shop.order(f"{number}", "u0", [{"sale_price": price, "quantity": quantity}], draw(TIMES))
    return shop


@examples(2)
@given(
    shop=shops(), form=FORMS, thousands=st.sampled_from(["", ".", " ", "'", "\u00a0"]), zipped=st.booleans()
)
def test_any_declared_form_reads_as_parquet_does(shop: Shop, form: Csv, thousands: str, zipped: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        plain = all_of(write_parquet(shop, Path(place) / "plain"), Csv())
        other = rewritten(shop, Path(place) / "other", form, with_comma(thousands), zipped=zipped)
        assert all_of(other, form) == plain


def test_thousands_with_a_decimal_point(tmp_path: Path) -> None:
    plain = all_of(write_csv(SPAIN, tmp_path / "plain"), Csv())
    form = Csv(thousands=",")
    other = rewritten(
        SPAIN,
        tmp_path / "other",
        form,
        lambda value: value.replace("1234567", "1,234,567").replace("1000", "1,000"),
    )
    assert all_of(other, form) == plain


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_beginning_needs_no_setting_and_wins(tmp_path: Path, encoding: str) -> None:
    plain = all_of(write_csv(SPAIN, tmp_path / "plain"), Csv())
    other = rewritten(SPAIN, tmp_path / "other", Csv(encoding=encoding), str)
    assert all_of(other, Csv()) == plain
    assert all_of(other, Csv(encoding="cp1252")) == plain


def left_out(folder: Path, form: Csv, shop: Shop) -> list[tuple[str | None, str | None]]:
    """The ids and wrong values of the users left out."""
    with open_warehouse(write_csv(shop, folder), reading=Reading(form)) as warehouse:
        return [(row.row_id, row.wrong) for row in warehouse.rejected() if row.table == "users"]


def test_a_number_in_another_form_than_declared_is_left_out_as_it_stands(tmp_path: Path) -> None:
    wrong = ["12.5", "1.2345", "1 2", "1.234 567", "1'234.567", "12,", ",5", "1,2,3", "1.234,5.6", "-", "x"]
    shop = Shop().user("right", age="12,5")
    for value in wrong:
        shop.user(value, age=value)
    form = Csv(decimal=",")
    assert sorted(left_out(tmp_path, form, shop)) == sorted((value, value) for value in wrong)
    (tmp_path / "users.csv").unlink()
    with open_warehouse(
        write_csv(Shop().user("1").user("7", age="12.5"), tmp_path), reading=Reading(form)
    ) as warehouse:
        (note,) = warehouse.notes()
    assert note.startswith(
        'left out: 1 row of users: age is not a number, for example "12.5" (users.csv, line 3); [csv] in '
        "segue.toml says that a number is written as 1.234,50"
    )


def test_a_time_in_another_form_than_declared_is_left_out_as_it_stands(tmp_path: Path) -> None:
    wrong = ["2016-01-31", "31.1.2016", "31.02.2016 10:00", "1.1.16 10:00", "31.1.2016 10:00 x", "32"]
    shop = Shop().user("right", "1.2.2016 10:00").user("too", "2017")
    for value in wrong:
        shop.user(value, value)
    form = Csv(dates=("%d.%m.%Y %H:%M", "%Y"))
    assert sorted(left_out(tmp_path, form, shop)) == sorted((value, value) for value in wrong)
    with open_warehouse(
        write_csv(Shop().user("1", "1.2.2016 10:00").user("7", "1.2.2016"), tmp_path), reading=Reading(form)
    ) as warehouse:
        (note,) = warehouse.notes()
    assert note == (
        'left out: 1 row of users: created_at is not a time, for example "1.2.2016" (users.csv, line 3); '
        '[csv] dates in segue.toml says that a time is written as "%d.%m.%Y %H:%M" or "%Y"'
    )


def test_without_a_declaration_the_setting_is_named(tmp_path: Path) -> None:
    shop = Shop().user("7", age="25,5").user("8", "31.1.2016").user("9")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        notes = " ".join(warehouse.notes())
    assert 'the decimal mark is a point: 12.50, or set decimal = "," under [csv] in segue.toml' in notes
    assert '; declare another form under [csv] in segue.toml, such as dates = "%d.%m.%Y"' in notes


def test_a_form_without_a_time_of_day_is_a_date_in_every_zone(tmp_path: Path) -> None:
    born = (Feature("days_since_birth", "days_since", "user.born"),)
    form = Csv(dates=("%d.%m.%Y %H:%M", "%d.%m.%Y"))
    shop = Shop().user("7", "1.1.2024", born="1.2.1990").user("8", "1.1.2024", born="31.1.1990 20:00")
    shop.user("9", "1.1.2024", born="1990-02-01")
    reading = Reading(form, features=born, time_zone="Asia/Kolkata", today=date(1990, 2, 2))
    with open_warehouse(write_csv(shop, tmp_path), reading=reading) as warehouse:
        assert warehouse.features(None, (), born)["days_since_birth"].to_pylist() == [1, 1]
        assert list(warehouse.rejected().counts) == [("users", "born is neither a date nor a time")]


def test_blank_fields_and_words_for_nothing_are_null_in_any_form(tmp_path: Path) -> None:
    form = Csv(nulls=("-",), decimal=",", dates=("%d.%m.%Y",))
    with open_warehouse(
        write_csv(Shop().user("7", " ", age=" ").user("8", "-", age="-").user("9", "", age=""), tmp_path),
        reading=Reading(form),
    ) as warehouse:
        assert warehouse.notes() == []
        assert warehouse.features()["age"].to_pylist() == [None] * 3


def test_texts_and_ids_are_no_numbers_and_no_times(tmp_path: Path) -> None:
    form = Csv(decimal=",", dates=("%d.%m.%Y",))
    shop = (
        Shop().user("1.234,5", None, country="1.234,5", gender="31.1.2016").order("1,5", "1.234,5", [], None)
    )
    with open_warehouse(write_csv(shop, tmp_path), reading=Reading(form)) as warehouse:
        (row,) = warehouse.features().to_pylist()
    assert (row["user_id"], row["country"], row["gender"]) == ("1.234,5", "1.234,5", "31.1.2016")


def test_the_form_is_that_of_csv_files_only(tmp_path: Path) -> None:
    """A Parquet file beside them, and a query over them, are read as ever."""
    form = Csv(decimal=",", dates=("%d.%m.%Y",))
    folder = write_csv(Shop().order("1", "7", created_at="1.2.2016"), tmp_path)
    (folder / "users.csv").unlink()
    users = write_parquet(Shop().user("7", "2016-01-31", age="25.5"), tmp_path / "other") / "users.parquet"
    users.rename(folder / "users.parquet")
    query = "select * replace (strptime(created_at, '%d.%m.%Y') as created_at) from orders"
    for names in (Names(), Names({"orders": query})):
        with open_warehouse(folder, names, Reading(form)) as warehouse:
            assert warehouse.notes() == []
            (row,) = warehouse.features().to_pylist()
        assert (row["age"], row["total_orders"]) == (25.5, 1)


@pytest.mark.parametrize(
    ("encoding", "content", "said"),
    [
        (
            "utf-8",
            "a,b\nx,España\n".encode("cp1252"),
            (
                ": line 2 is not UTF-8: the byte 0xf1 follows 'x,Espa'; save the file as UTF-8, or set "
                'encoding = "cp1252" (or what it is) under [csv] in segue.toml'
            ),
        ),
        (
            "cp1252",
            b"a,b\nx,1\ny,\x81\n",
            (
                ": line 3 is not cp1252: the byte 0x81 follows 'y,'; correct the encoding under [csv] in "
                "segue.toml, or save the file as UTF-8"
            ),
        ),
        ("ascii", "a,b\nx,é\n".encode(), ": line 2 is not ascii: the byte 0xc3 follows 'x,'; correct"),
        ("shift_jis", b"a,b\nx,\x81\x00\n", ": line 2 is not shift_jis: the byte 0x81 follows 'x,'; correct"),
        (
            "utf-16",
            "a,b\nx,y\n".encode("utf-16") + b"\n",
            ": line 3 or a line soon after it is not utf-16: the byte",
        ),
        (
            "utf-8",
            "a,b\nx,y\n".encode("utf-16-le"),
            " is not CSV in UTF-8, but most likely in UTF-16 without",
        ),
        (
            "utf-16-le",
            "a,b\nx,y,z\n".encode("utf-16-le"),
            ", line 2, has 3 fields and line 1 names 2 columns",
        ),
    ],
)
def test_bytes_of_another_encoding_name_file_line_byte_and_setting(
    tmp_path: Path, encoding: str, content: bytes, said: str
) -> None:
    for file in write_csv(Shop(), tmp_path).iterdir():
        file.write_text(file.read_text(), encoding=encoding)
    (tmp_path / "users.csv").write_bytes(content)
    query = "select a as user_id, b as country, null as age, null as gender, null as traffic_source, null as "
    names = Names({"users": f"{query} created_at from users"})
    with (
        pytest.raises(BadWarehouse) as caught,
        open_warehouse(tmp_path, names, Reading(Csv(encoding=encoding))) as warehouse,
    ):
        warehouse.features()
    assert str(caught.value).startswith(f"{tmp_path}/users.csv{said}")
    assert "\n" not in str(caught.value)


def test_copies_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    form = Csv(encoding="latin-1")
    folder = rewritten(SPAIN, tmp_path / "shop", form, str)
    with open_warehouse(folder, reading=Reading(form)) as warehouse:
        warehouse.features()
        assert len(list((tmp_path / "temporary").glob("segue-csv-*/*"))) == 4
    assert not list((tmp_path / "temporary").iterdir())
    (folder / "orders.csv").unlink()
    with pytest.raises(BadWarehouse):
        open_warehouse(folder, reading=Reading(form))
    assert not list((tmp_path / "temporary").iterdir())


def test_no_room_for_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    form = Csv(encoding="latin-1")
    folder = rewritten(SPAIN, tmp_path, form, str)
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(NoRoom, match=r"no room for a copy of .*csv in UTF-8 in .*: make room, set TMPDIR"):
        open_warehouse(folder, reading=Reading(form))
