"""The sentences about numbers that the values leave open."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pytest

from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.number_checks import number_checks


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


def column(desk: Desk, values: Sequence[str], name: str = "p", kind: str = "") -> ShopColumn:
    place = desk.add(pa.table({"c": pa.array(values, pa.string())}))
    return desk.column(place, 0, name, kind, len(values))


@pytest.mark.parametrize(
    ("values", "mark", "sample", "read"),
    [
        (["430", "1.034 €"], "point", "1.034 €", "thousands, so leave the point where it is"),
        (["19.615"], "point", "19.615", "decimals, so take it out by replace(…, '.', '')"),
        (["430", "1,854"], "comma", "1,854", "thousands, so write replace(…, ',', '.')"),
    ],
)
def test_an_unclear_mark_is_named(values: list[str], mark: str, sample: str, read: str, desk: Desk) -> None:
    (said,) = number_checks([column(desk, values)], desk)
    assert said == (
        f"p: no value says whether the {mark} stands before decimals or thousands (such as {sample}); it is"
        f" read as {read} in a query where that is wrong"
    )


@pytest.mark.parametrize(
    "values", [["70.631", "2.298.939"], ["0.500", "1.250"], ["1500", "1.250"], ["7", "1.5"]]
)
def test_a_clear_mark_needs_no_check(values: list[str], desk: Desk) -> None:
    assert list(number_checks([column(desk, values)], desk)) == []
    assert list(number_checks([column(desk, ["19.615"], kind="DOUBLE")], desk)) == []


def test_a_point_beside_decimal_commas_is_named(desk: Desk) -> None:
    prices = column(desk, [*map(str, range(10, 1500))] * 2 + ["600.600"])
    (said,) = number_checks([column(desk, ["1,5"], "q"), prices], desk)
    assert said == (
        "p: no value says whether the point stands before decimals or thousands (such as 600.600), and other"
        " columns have a decimal comma; it is read as decimals, so take it out by replace(…, '.', '') in a"
        " query where that is wrong"
    )


def test_a_rare_value_decides_what_a_point_means(desk: Desk) -> None:
    # None of the rare values is among the thousand most frequent.
    many = [f"{n}.{n}" for n in range(100, 999)] + [f"{n}.100" for n in range(101, 400)]
    whole = [str(n) for n in range(1, 200)]
    for rare, decimal, unclear in (
        ("2.298.939", ",", False), ("0.123", ".", False), ("1500", ".", False), ("12.5", ".", False)
    ):  # fmt: skip
        form = column(desk, [*(many + whole) * 2, rare]).number
        assert (form.decimal, form.unclear) == (decimal, unclear), rare


def test_several_currencies_are_named_with_their_counts(desk: Desk) -> None:
    mixed = ["12,50 €"] * 3 + ["EUR 7,50", "182,34 CHF", "9,99"]
    (said,) = number_checks([column(desk, mixed)], desk)
    assert said == (
        "p: several currencies stand in one column, by number of values € (4), CHF (1), and their amounts are"
        " added as if they were one; convert them by case, or read one currency by where, in a query"
    )
    for same in (["12,50 €", "EUR 7,50", "9,99"], ["12,50 zł", "7,50 zl", "PLN 9,99"]):
        assert list(number_checks([column(desk, same)], desk)) == []
    (said,) = number_checks([column(desk, ["12,50 zł", "7,50 kr"])], desk)
    assert "by number of values kr (1), zł (1)" in said
