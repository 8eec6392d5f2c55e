"""The text of a proposal is TOML with exactly its settings, whatever the names are."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from trainer.proposal.proposed_settings import Proposal
from trainer.proposal.toml_text import toml_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.dictionaries(TEXTS, TEXTS, max_size=3)


@given(TEXTS, TEXTS, NAMES, TEXTS)
def test_any_names(name: str, query: str, columns: dict[str, str], why: str) -> None:
    # A query has lines; TOML reads CR LF as a line end and knows no CR alone.
    tables = {"users": f"select\n{query}".replace("\r", " "), "orders": name}
    settings = {
        "features": ["age"], "whole_ids": True, "declare": {"age_2": {"kind": "attribute", "source": name}},
        "csv": {"separator": "\t", "nulls": [name, query]}, "tables": tables, "columns": {"orders": columns},
    }  # fmt: skip
    proposal = Proposal(settings=settings, left_out={name: {query: why}}, warnings=[why])
    proposal.say("features", why)
    proposal.say("tables.order_items", why)
    proposal.offer("exclude_statuses", f"exclude_statuses = [{why}]")

    read = tomllib.loads(toml_text(proposal, [why, ""]))

    # A text of several lines gets a line end at its end.
    for table in ("users", "orders"):
        if "\n" in tables[table]:
            read["tables"][table] = read["tables"][table].removesuffix("\n")
    if not columns:
        read.setdefault("columns", {"orders": {}})
    assert read == settings


def test_a_feature_is_dropped_with_what_only_it_reads() -> None:
    declare = {"tenure": {"kind": "attribute", "source": "user.tenure"}}
    proposal = Proposal(
        settings={
            "features": ["tenure", "age"],
            "declare": declare,
            "columns": {"users": {"tenure": "Tenure", "age": "Age"}},
        }
    )

    proposal.drop("tenure", "it has the same value")

    assert proposal.settings == {"features": ["age"], "columns": {"users": {"age": "Age"}}}
    assert proposal.reasons["features"] == ["tenure is no feature: it has the same value."]
