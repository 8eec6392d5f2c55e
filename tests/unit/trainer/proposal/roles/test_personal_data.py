"""Personal data, ids and free texts are no features."""

import pytest

from trainer.proposal.looks.shop_columns import Kind, ShopColumn
from trainer.proposal.roles.personal_data import unfit


def column(name: str, kind: Kind = "text", distinct: int = 5, *samples: str, length: float = 5) -> ShopColumn:
    return ShopColumn(name, kind, 100, 100, distinct, samples, length=length)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("first_name", "a person's name"),
        ("Nachname", "a person's name"),
        ("CustomerName", "a person's name"),
        ("E-Mail", "a contact of a person"),
        ("phoneNumber", "a contact of a person"),
        ("street_address", "an address or a place of a person"),
        ("PLZ", "an address or a place of a person"),
        ("latitude", "an address or a place of a person"),
        ("iban", "a secret, or a number of a person or a bank"),
        ("Birthday", "a birthday; only the age is of use"),
        ("loyalty_id", "an id or a number of something"),
        ("review_comment", "free text"),
    ],
)
def test_by_the_name(name: str, why: str) -> None:
    assert unfit(column(name), of_users=True) == why


def test_by_the_values() -> None:
    assert unfit(column("x", "text", 5, "a@b.de", "c.d@e.org"), of_users=True) == "a contact of a person"
    assert unfit(column("x", "text", 5, "+49 221 123456"), of_users=True) == "a contact of a person"
    assert unfit(column("x", "text", 5, "a", length=90.0), of_users=True) == "free text"
    assert unfit(column("x", "text", 61), of_users=True) == "it has 61 different texts"
    assert unfit(column("x", "number", 1), of_users=True) == "it has the same value in all rows"
    assert unfit(column("x", "date"), of_users=True) == "a date"


def test_a_tax_of_lines_is_an_amount_and_a_tax_number_is_secret() -> None:
    secret = "a secret, or a number of a person or a bank"
    assert unfit(column("total_tax", "number"), of_users=False) is None
    assert unfit(column("vat_number"), of_users=False) == secret
    assert unfit(column("tax", "number"), of_users=True) == secret


@pytest.mark.parametrize("name", ["wealth_segment", "owns_car", "state", "tenure", "plan"])
def test_what_may_be_a_feature(name: str) -> None:
    assert unfit(column(name), of_users=True) is None
