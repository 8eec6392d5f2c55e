"""How numbers are written, found from their values."""

import pytest

from trainer.proposal.written.number_forms import NumberForm, number_form


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["1", "-2.5", "1e3", ".5"], NumberForm()),
        (["12,5", "7"], NumberForm(",")),
        (["1.234,50", "0,99"], NumberForm(",", thousands=True)),
        (["1,234.50", "0.99"], NumberForm(thousands=True)),
        (["1,234", "2,000,000"], NumberForm(thousands=True)),
        (["1,234", "5,678"], NumberForm(thousands=True, unclear=True)),
        (["$12.99 ", "$1,249.50 "], NumberForm(thousands=True, signs=True)),
        (["12,50 €", "1.000,00 €"], NumberForm(",", thousands=True, signs=True)),
        (["EUR 5", "EUR 7.5"], NumberForm(signs=True)),
        (["1 249,50 zł", "7,99 zł"], NumberForm(",", signs=True)),
        (["￥1,250", "￥980"], NumberForm(thousands=True, signs=True, unclear=True)),
        (["12 Kč", "7kr"], NumberForm(signs=True)),
        ([*(f"{n}.5" for n in range(30)), "12,5"], NumberForm()),
        (["1.486 €", "381 €"], NumberForm(",", thousands=True, signs=True, unclear=True)),
        (["70.631", "2.298.939"], NumberForm(",", thousands=True)),
        (["19.615", "4.972"], NumberForm(unclear=True)),
        (["0.500", "1.250"], NumberForm()),
        (["0,500", "1,250"], NumberForm(",")),
        (["48.137", "11.5"], NumberForm()),
        (["1500", "1.250"], NumberForm()),
    ],
)
def test_a_form(values: list[str], form: NumberForm) -> None:
    assert number_form(values) == form


@pytest.mark.parametrize(
    "values", [[], ["red"], ["1", "two"], ["1,2,3"], ["12,5", "12.5.1"], ["1-2"], ["A12"], ["12 krabs"]]
)
def test_what_is_no_number(values: list[str]) -> None:
    assert number_form(values) is None
