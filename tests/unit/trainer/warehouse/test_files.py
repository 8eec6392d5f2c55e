"""CSV files: all is text, and only the empty field is null."""

import pytest

from schemas.errors import BadWarehouse
from tests.shops import Shop, features_by_user, write_csv
from trainer.warehouse import open_warehouse

HEADER = "id,age,gender,country,traffic_source,created_at"


def users(folder, *lines: str, end: str = "\n") -> dict[str, dict[str, object]]:
    write_csv(Shop().user("u"), folder)
    (folder / "users.csv").write_bytes(end.join([HEADER, *lines, ""]).encode())
    return features_by_user(folder)


def test_only_the_empty_field_is_null(tmp_path):
    words = ["NULL", "null", "NA", "NaN", "None", "\\N", "-", "nan"]
    rows = users(tmp_path, *(f"{number},,{word},,," for number, word in enumerate(words)), '8,,"",,,')
    assert [rows[str(number)]["gender"] for number in range(9)] == [*words, None]
    assert all(row["country"] is None for row in rows.values())


def test_nothing_is_guessed_to_be_a_number_a_time_or_a_truth(tmp_path):
    rows = users(tmp_path, "007,,1.50,true,2024-01-01,", "1e3,,00,0x1,1_000,", "+7,, x,FALSE,1.,")
    assert set(rows) == {"007", "1e3", "+7"}
    assert [rows["007"][name] for name in ("gender", "country", "traffic_source")] == [
        "1.50",
        "true",
        "2024-01-01",
    ]
    assert [rows["+7"][name] for name in ("gender", "country", "traffic_source")] == [" x", "FALSE", "1."]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotes_commas_and_line_ends_in_a_field(tmp_path, end):
    rows = users(tmp_path, f'u,,"say ""hi"", twice","a{end}b",\'x\',', end=end)
    row = rows["u"]
    assert (row["gender"], row["country"], row["traffic_source"]) == ('say "hi", twice', f"a{end}b", "'x'")


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    write_csv(Shop().user("u"), tmp_path)
    path = tmp_path / "users.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert set(features_by_user(tmp_path)) == {"u"}


def test_further_columns_may_have_any_name(tmp_path):
    write_csv(Shop().user("u"), tmp_path)
    (tmp_path / "users.csv").write_text('it\'s,"a ""b"", c",' + HEADER + "\n1,2,u,,,,,\n")
    assert set(features_by_user(tmp_path)) == {"u"}


def test_a_column_without_a_name_does_no_harm(tmp_path):
    write_csv(Shop().user("u"), tmp_path)
    # As pandas writes its index.
    (tmp_path / "users.csv").write_text(f",{HEADER}\n0,7,20,,,,\n")
    assert features_by_user(tmp_path)["7"]["age"] == 20.0


def test_zipped_files(tmp_path):
    shop = Shop().user("u", country="España").order("1", "u")
    assert features_by_user(write_csv(shop, tmp_path, zipped=True))["u"]["country"] == "España"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "users.csv has no line of column names"),
        (b"id,age,id\n", "users.csv has column id more than once"),
        (b"id,Age,age\n", "users.csv has column Age more than once (case does not count)"),
        ("id,age\n".encode("utf-16"), "users.csv is not UTF-8: its column names cannot be read"),
    ],
)
def test_a_header_that_is_none(tmp_path, content, said):
    write_csv(Shop().user("u"), tmp_path)
    (tmp_path / "users.csv").write_bytes(content)
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"1,2\n", "Expected Number of Columns: 6 Found: 2"),
        (b"1,2,3,4,5,6,7\n", "Expected Number of Columns: 6 Found: 7"),
        (b"1,,\xff,,,\n", "Invalid unicode"),
        (b'1,,"open,,,\n', "unterminated quote"),
    ],
)
def test_a_broken_line_names_the_file_and_the_line(tmp_path, line, said):
    write_csv(Shop().user("u"), tmp_path)
    (tmp_path / "users.csv").write_bytes(f"{HEADER}\nu,,,,,\n".encode() + line)
    with pytest.raises(BadWarehouse) as caught, open_warehouse(tmp_path) as warehouse:
        warehouse.features()
    message = str(caught.value)
    assert "Line: 3" in message
    assert said in message
    assert "users.csv" in message
    assert "\n" not in message
