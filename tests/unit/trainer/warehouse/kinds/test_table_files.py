"""CSV files: all is text, and only the empty field is null."""

import csv
import errno
from pathlib import Path
from unittest.mock import Mock

import pytest

from schemas.errors import BadWarehouse
from schemas.features import Feature
from tests.support.inputs.shops import Shop, features_by_user, write_csv
from trainer.warehouse import Csv, Reading, open_warehouse
from trainer.warehouse.kinds.csv_records import opened

HEADER = "id,age,gender,country,traffic_source,created_at"


def users(folder: Path, *lines: str, end: str = "\n") -> dict[str, dict[str, object]]:
    write_csv(Shop().user("u"), folder)
    (folder / "users.csv").write_bytes(end.join([HEADER, *lines, ""]).encode())
    return features_by_user(folder)


def test_only_the_empty_field_is_null(tmp_path: Path) -> None:
    words = ["NULL", "null", "NA", "NaN", "None", "\\N", "-", "nan"]
    rows = users(tmp_path, *(f"{number},,{word},,," for number, word in enumerate(words)), '8,,"",,,')
    assert [rows[str(number)]["gender"] for number in range(9)] == [*words, None]
    assert all(row["country"] is None for row in rows.values())


def test_nothing_is_guessed_to_be_a_number_a_time_or_a_truth(tmp_path: Path) -> None:
    rows = users(tmp_path, "007,,1.50,true,2024-01-01,", "1e3,,00,0x1,1_000,", "+7,, x,FALSE,1.,")
    assert set(rows) == {"007", "1e3", "+7"}
    assert [rows["007"][name] for name in ("gender", "country", "traffic_source")] == [
        "1.50",
        "true",
        "2024-01-01",
    ]
    assert [rows["+7"][name] for name in ("gender", "country", "traffic_source")] == [" x", "FALSE", "1."]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotes_commas_and_line_ends_in_a_field(tmp_path: Path, end: str) -> None:
    rows = users(tmp_path, f'u,,"say ""hi"", twice","a{end}b",\'x\',', end=end)
    row = rows["u"]
    assert (row["gender"], row["country"], row["traffic_source"]) == ('say "hi", twice', f"a{end}b", "'x'")


@pytest.mark.parametrize(
    ("name", "said"), [("users.csv", "Permission denied"), ("users.csv.gz", "Not a gzipped file (b'id')")]
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    (tmp_path / name).write_bytes(b"id,age")
    refused = PermissionError(errno.EACCES, "Permission denied", "users.csv")
    monkeypatch.setattr(Path, "open", Mock(side_effect=refused))
    with pytest.raises(BadWarehouse) as caught, opened(tmp_path / name) as file:
        file.read()
    assert str(caught.value) == f"{tmp_path / name} cannot be read: {said}"


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    write_csv(Shop().user("u"), tmp_path)
    path = tmp_path / "users.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert set(features_by_user(tmp_path)) == {"u"}


@pytest.mark.parametrize("line", ["sep=,", '"sep=,"', "\ufeffSEP=,"])
def test_a_first_line_for_excel_is_no_header(tmp_path: Path, line: str) -> None:
    assert set(users(tmp_path, "7,20,,,,")) == {"7"}
    path = tmp_path / "users.csv"
    path.write_text(f"{line}\n{path.read_text()}")
    assert features_by_user(tmp_path)["7"]["age"] == 20.0
    path.write_text(f"{path.read_text()}8,20\n")
    with pytest.raises(BadWarehouse, match="line 4, has 2 fields and line 2 names 6 columns"):
        open_warehouse(tmp_path)


def test_further_columns_may_have_any_name(tmp_path: Path) -> None:
    write_csv(Shop().user("u"), tmp_path)
    (tmp_path / "users.csv").write_text('it\'s,"a ""b"", c",' + HEADER + "\n1,2,u,,,,,\n")
    assert set(features_by_user(tmp_path)) == {"u"}


def test_a_column_without_a_name_does_no_harm(tmp_path: Path) -> None:
    write_csv(Shop().user("u"), tmp_path)
    # As pandas writes its index.
    (tmp_path / "users.csv").write_text(f",{HEADER}\n0,7,20,,,,\n")
    assert features_by_user(tmp_path)["7"]["age"] == 20.0


def test_zipped_files(tmp_path: Path) -> None:
    shop = Shop().user("u", country="España").order("1", "u")
    assert features_by_user(write_csv(shop, tmp_path, zipped=True))["u"]["country"] == "España"


LONG_LINE = b"u,,," + b"x" * 10_000_000 + b",,\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", " is empty: its first line must have the column names"),
        (b"\xef\xbb\xbf\n", " is empty: its first line must have the column names"),
        (
            b"id,age,id\n",
            ", line 1, has column id more than once (case does not count): give each column its own",
        ),
        (
            b"id,Age,age\n",
            ", line 1, has column Age more than once (case does not count): give each column its own",
        ),
        (b"id,a\xf1o\n", ": line 1 is not UTF-8: the byte 0xf1 follows 'id,a'; save the file as UTF-8"),
        (
            "id,age\n".encode("utf-16-le"),
            ' is not CSV in UTF-8, but most likely in UTF-16 without its mark: set encoding = "utf-16-le"',
        ),
        (b"PK\x03\x04\x14", " is not CSV, but a ZIP or Excel file: save it as CSV"),
        (b"\x1f\x8b\x08", " is not CSV, but a gzip file: name it .csv.gz"),
        (
            b"id;age\n7;20\n",
            """, line 1, has one column, 'id;age', by the separator ',': set separator = ";" under [csv]""",
        ),
        (
            b"id\tage\n7\t20\n",
            (
                ", line 1, has one column, 'id\\tage', by the separator ',': set separator = \"\\t\" under "
                "[csv]"
            ),
        ),
        (f"{HEADER}\n".encode(), "table users of folder {folder} has no rows"),
    ],
)
def test_a_file_without_rows_or_with_no_header(tmp_path: Path, content: bytes, said: str) -> None:
    write_csv(Shop().user("u"), tmp_path)
    (tmp_path / "users.csv").write_bytes(content)
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(tmp_path)
    expected = said.format(folder=tmp_path) if "folder" in said else f"{tmp_path}/users.csv{said}"
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b"u,,,,,\n1,2\n", ", line 3, has 2 fields and line 1 names 6 columns"),
        (b"u,,,,,\n1,2,3,4,5,6,7\n", ", line 3, has 7 fields and line 1 names 6 columns"),
        (b'u,,"a\nb",,,\n1,2\n', ", line 4, has 2 fields and line 1 names 6 columns"),
        (b"u,,,,,\n1,,Espa\xf1a,,,\n", ": line 3 is not UTF-8: the byte 0xf1 follows '1,,Espa'"),
        (b'u,,,,,\n1,,"open,,,\nv,,,,,\n', ": a quote that opens in line 3 is not closed"),
        (b'u,,,,,\n1,,"a\\"b",,,\n', ": in line 3 text follows a closing quote"),
        (
            b"u,,,,,2024-01-01\nv,,,,,2024-01-01\r\n",
            ", line 3, ends with CR LF and line 1 with LF: let all lines end alike",
        ),
        (b"u,,,,,\n" + LONG_LINE, ": line 3 has more than 2,000,000 bytes"),
    ],
    ids=["short", "long", "after a field of two lines", "latin-1", "open", "escaped", "mixed ends", "10 MB"],
)
def test_a_broken_line_names_the_file_and_the_line(tmp_path: Path, lines: bytes, said: str) -> None:
    write_csv(Shop().user("u"), tmp_path)
    (tmp_path / "users.csv").write_bytes(f"{HEADER}\n".encode() + lines)
    with pytest.raises(BadWarehouse) as caught, open_warehouse(tmp_path) as warehouse:
        warehouse.features()
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/users.csv{said}")
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator(tmp_path: Path, separator: str) -> None:
    write_csv(Shop().user("u,1", country="a;b|c\td"), tmp_path)
    for path in tmp_path.iterdir():
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        with path.open("w", newline="") as file:
            csv.writer(file, delimiter=separator).writerows(rows)
    with open_warehouse(tmp_path, reading=Reading(Csv(separator))) as warehouse:
        (row,) = warehouse.features().to_pylist()
    assert (row["user_id"], row["country"]) == ("u,1", "a;b|c\td")


def test_texts_that_mean_nothing(tmp_path: Path) -> None:
    shop = Shop().user("7", age="NULL", gender="\\N", country="null").user("NULL").user("8", country="it's")
    reading = Reading(Csv(nulls=("NULL", "\\N", "it's")))
    with open_warehouse(write_csv(shop, tmp_path), reading=reading) as warehouse:
        seven, eight = warehouse.features().to_pylist()
        assert list(warehouse.notes()) == [
            "left out: 1 row of users: user_id is missing, for example line 3 of users.csv",
            (
                'users.csv: country is "null" in 1 row, which is text; where it means nothing, set nulls = '
                '["null"] under [csv] in segue.toml'
            ),
        ]
    assert (seven["age"], seven["gender"], seven["country"]) == (None, None, "null")
    assert eight["country"] is None


def test_words_for_nothing_are_told_with_their_counts(tmp_path: Path) -> None:
    shop = Shop().user("7", gender="nan", country="Spain").user("8", gender="NULL", country="\\N")
    shop.user("9", gender="F").order("1", "9", status="N/A")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        status, country, gender = sorted(warehouse.notes())
    assert gender.startswith('users.csv: gender is "NULL", "nan" in 2 rows, which is text')
    assert 'nulls = ["\\\\N"]' in country
    assert status.startswith('orders.csv: status is "N/A" in 1 row')


def test_a_word_in_a_column_that_no_feature_reads_is_not_told(tmp_path: Path) -> None:
    shop = Shop().user("7", gender="nan").order("1", "7", [{"sale_price": "NULL"}], status="N/A")
    reading = Reading(features=(Feature("country", "attribute", "country"),))
    with open_warehouse(write_csv(shop, tmp_path), reading=reading) as warehouse:
        assert warehouse.notes() == []
