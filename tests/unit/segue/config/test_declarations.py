"""The setting ``declare``: each mistake is one sentence that names the field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.errors import BadSetting
from schemas.features import FEATURES, RFM, Feature, features_text
from segue.config.load_settings import load_settings
from segue.config.settings import Settings

SPEND = Feature("total_spend", "sum", "order_value")
BRANDS = Feature("favourite", "last", "brand", "one-hot")
TABLE = """
[declare]
total_spend = { kind = "sum", source = "order_value" }

[declare.favourite]
kind = "last"
source = "brand"
encoding = "one-hot"
"""


def settings_of(folder: Path, text: str) -> Settings:
    path = folder / "segue.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_the_seven_then_the_declared_in_their_order(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, TABLE)
    assert settings.declared == (*FEATURES, SPEND, BRANDS)
    assert settings.model_features == settings.declared


def test_the_preset_rfm_declares_three_and_one_line_is_enough(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, 'preset = "rfm"')
    assert settings.model_features == RFM
    assert settings.read_features == RFM
    assert settings.declared == (*FEATURES, *RFM)
    with_others = settings_of(tmp_path, f'preset = "rfm"\n{TABLE}')
    assert with_others.model_features == RFM
    assert with_others.read_features == (*RFM, SPEND, BRANDS)
    chosen = settings_of(tmp_path, 'preset = "rfm"\nfeatures = "monetary, country"')
    assert chosen.model_features == (RFM[2], FEATURES[2])


def test_the_names_of_the_preset_s_features_are_taken(tmp_path: Path) -> None:
    text = 'preset = "rfm"\n[declare]\nrecency = { kind = "days_since", source = "signup" }'
    with pytest.raises(BadSetting, match=r"declare\.recency is 'days_since': the name is taken"):
        settings_of(tmp_path, text)


def test_the_model_takes_those_that_features_names(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, 'features = "total_spend, age"\n' + TABLE)
    assert settings.model_features == (SPEND, FEATURES[0])
    assert settings.declared == (*FEATURES, SPEND, BRANDS)


def test_the_environment_has_them_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEGUE_DECLARE", json.dumps({"total_spend": {"kind": "sum", "source": "order_value"}}))
    assert load_settings().declared == (*FEATURES, SPEND)


def test_an_interval_needs_no_source(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, 'declare.pace = { kind = "interval" }')
    assert settings.declared[-1] == Feature("pace", "interval", "order_id")


def test_days_since_a_field_read_a_date_whether_the_type_is_given_or_not(tmp_path: Path) -> None:
    table = """
    declare.recency = { kind = "days_since", source = "last_order", log = true }
    declare.birth = { kind = "days_since", source = "user.born" }
    declare.birth_too = { kind = "days_since", source = "user.born", type = "date", quantile = 5 }
    """
    recency, birth, birth_too = settings_of(tmp_path, table).declared[-3:]
    assert recency == Feature("recency", "days_since", "last_order", log=True)
    assert birth.field == birth_too.field
    assert birth.field is not None
    assert birth.field.type == "date"
    assert (recency.of_time, recency.numeric) == (True, True)


def test_a_window_is_a_number_of_days(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "declare.spend = { kind = 'sum', source = 'price', window = '90d' }")
    assert settings.declared[-1] == Feature("spend", "sum", "price", window=90)
    assert settings.declared[-1].of_time
    assert features_text(settings.declared[-1:]) == "spend = sum of price over 90d"


def test_a_number_may_be_read_as_its_logarithm(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "declare.spend = { kind = 'sum', source = 'price', log = true }")
    assert settings.declared[-1] == Feature("spend", "sum", "price", log=True)
    settings = settings_of(tmp_path, "declare.spend = { kind = 'sum', source = 'price', log = false }")
    assert settings.declared[-1] == Feature("spend", "sum", "price")


def test_a_number_may_be_read_as_its_group(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "declare.pace = { kind = 'interval', quantile = 5 }")
    assert settings.declared[-1] == Feature("pace", "interval", "order_id", quantile=5)


def test_without_declarations_there_are_the_seven() -> None:
    assert Settings().model_features == Settings().declared == FEATURES


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("declare = 7", "setting declare is 7: give a table of features"),
        ("declare = '{'", "setting declare is '{': give a table of features"),
        ("declare.spend = 7", "setting declare.spend is 7: give a table with kind and source"),
        ("declare.spend = { kind = 'sum' }", "setting declare.spend.source is None: it is missing"),
        ("declare.spend = { source = 'price' }", "setting declare.spend.kind is None: it is missing"),
        (
            "declare.spend = { kind = 'sum', source = 'price', unit = 'EUR' }",
            "setting declare.spend.unit is 'EUR': a feature has only kind, source, type, encoding, log,",
        ),
        (
            "declare.spend = { kind = 'total', source = 'price' }",
            "setting declare.spend.kind is 'total': use one of attribute, count,",
        ),
        (
            "declare.spend = { kind = 'sum', source = 'brand' }",
            "setting declare.spend.source is 'brand': sum is made from one of price, quantity, order_value",
        ),
        (
            "declare.pace = { kind = 'interval', source = 'price' }",
            "setting declare.pace.source is 'price': interval is made from order_id",
        ),
        (
            "declare.spend = { kind = 'sum', source = 'price', log = 'yes' }",
            "setting declare.spend.log is 'yes': write true or false, without quotes",
        ),
        (
            "declare.brand = { kind = 'last', source = 'brand', log = true }",
            "setting declare.brand.log is True: leave it out, the feature is a text",
        ),
        (
            "declare.vip = { kind = 'attribute', source = 'user.vip', type = 'boolean', log = true }",
            "setting declare.vip.log is True: leave it out, the feature is true or false",
        ),
        (
            "declare.pace = { kind = 'interval', quantile = 1 }",
            "setting declare.pace.quantile is 1: use a whole number from 2 to 100",
        ),
        (
            "declare.pace = { kind = 'interval', quantile = 101 }",
            "setting declare.pace.quantile is 101: use a whole number from 2 to 100",
        ),
        (
            "declare.pace = { kind = 'interval', quantile = '5' }",
            "setting declare.pace.quantile is '5': give a whole number, such as quantile = 5",
        ),
        (
            "declare.pace = { kind = 'interval', quantile = true }",
            "setting declare.pace.quantile is True: give a whole number, such as quantile = 5",
        ),
        (
            "declare.pace = { kind = 'interval', quantile = 5, log = true }",
            "setting declare.pace.log is True: leave log or quantile out, the groups of a logarithm",
        ),
        (
            "declare.brand = { kind = 'last', source = 'brand', quantile = 5 }",
            "setting declare.brand.quantile is 5: leave it out, the feature is a text",
        ),
        (
            "declare.recency = { kind = 'days_since', source = 'order_id' }",
            "setting declare.recency.source is 'order_id': days_since is made from one of last_order, first_",
        ),
        (
            "declare.recency = { kind = 'days_since', source = 'age' }",
            "setting declare.recency.source is 'age': days_since is made from one of last_order,",
        ),
        (
            "declare.recency = { kind = 'days_since', source = 'order.sent' }",
            "setting declare.recency.source is 'order.sent': days_since is made from one of last_order,",
        ),
        (
            "declare.age_of = { kind = 'days_since', source = 'user.born', type = 'text' }",
            "setting declare.age_of.type is 'text': days_since reads a date",
        ),
        (
            "declare.born = { kind = 'attribute', source = 'user.born', type = 'date' }",
            "setting declare.born.type is 'date': attribute reads a text or a number or a boolean",
        ),
        (
            "declare.spend = { kind = 'sum', source = 'price', window = 90 }",
            'setting declare.spend.window is 90: give a number of days, such as window = "90d"',
        ),
        (
            "declare.spend = { kind = 'sum', source = 'price', window = '12h' }",
            "setting declare.spend.window is '12h': give a number of days, such as window = \"90d\"",
        ),
        (
            "declare.spend = { kind = 'sum', source = 'price', window = '3651d' }",
            "setting declare.spend.window is '3651d': use 1d to 3650d",
        ),
        (
            "declare.spend = { kind = 'sum', source = 'price', window = '0d' }",
            "setting declare.spend.window is '0d': use 1d to 3650d",
        ),
        (
            "declare.spend = { kind = 'max', source = 'price', window = '90d' }",
            "setting declare.spend.window is '90d': leave it out, only count, sum, mean, distinct, most",
        ),
        (
            "time_zone = 'Berlin'",
            "is 'Berlin': use a name of the IANA time zone database, such as Europe/Berlin or America",
        ),
        ("declare.spend = { kind = 'sum', source = 7 }", "setting declare.spend.source is 7: give text"),
        (
            "declare.spend = { kind = 'sum', source = 'price', encoding = 'label' }",
            "setting declare.spend.encoding is 'label': leave it out, the feature is a number",
        ),
        (
            "declare.status = { kind = 'last', source = 'status', encoding = 'hash' }",
            "setting declare.status.encoding is 'hash': use one of label, frequency, one-hot",
        ),
        (
            "declare.age = { kind = 'last', source = 'age' }",
            "setting declare.age is 'last': the name is taken",
        ),
        (
            "declare.Spend = { kind = 'sum', source = 'price' }",
            "setting declare.Spend is 'Spend': use at most 63 lowercase letters",
        ),
        (
            "declare.segment = { kind = 'sum', source = 'price' }",
            "setting declare.segment is 'segment': use at most 63 lowercase letters",
        ),
        (
            "features = ['age', 'spend']\ndeclare.spent = { kind = 'sum', source = 'price' }",
            "most_frequent_category, spent",
        ),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_field(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as refused:
        settings_of(tmp_path, text)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
