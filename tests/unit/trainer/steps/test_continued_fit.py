from __future__ import annotations

import json
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from threadpoolctl import threadpool_limits

from schemas.errors import BadTraining
from schemas.outputs.wire import decode_release, encode_release
from schemas.release.model_release import version_of
from streamer.segment.scoring import Scorer
from tests.support.worlds.trained_shops import (
    CREATED_AT,
    Shop,
    a_shop,
    a_shop_of_kinds,
    features_named,
    features_table,
)
from trainer.fit import fit
from trainer.release.current_release import Current, current_from
from trainer.release.impact import impact_and_drift_in
from trainer.release.pipeline_numbers import release_of
from trainer.release.release_folder import load_release
from trainer.release.segment_identity import Identity
from trainer.steps.batch_scorer import score
from trainer.steps.continued_fit import start_from, unseen_in, within
from trainer.steps.fit_settings import FitSettings
from trainer.steps.presets import PRESETS
from trainer.steps.training_rows import select
from trainer.steps.training_window import Window
from trainer.train import train

OTHERS = [{**row, "user_id": f"v{place}"} for place, row in enumerate(a_shop(80, seed=5).to_pylist())]
QUICK = FitSettings(k_min=5, k_max=5)
MORE = pa.concat_tables([a_shop(), pa.Table.from_pylist(OTHERS, a_shop().schema)])


def trained(out: Path, table: pa.Table | None = None, **options: Any) -> Path:
    settings = options.pop("settings", QUICK)
    shop = Shop(a_shop() if table is None else table)
    return train(shop, settings, out, created_at=CREATED_AT, **options)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("first"))


def segments_of(folder: Path) -> dict[str, int]:
    table = pq.read_table(folder / "assignments.parquet")
    return dict(zip(table["user_id"].to_pylist(), table["segment"].to_pylist(), strict=True))


def test_a_retrain_on_the_same_data_is_the_same_release(first: Path, tmp_path: Path) -> None:
    again = trained(tmp_path, current=current_from(first))
    assert again.name == first.name
    assert segments_of(again) == segments_of(first)
    assert load_release(again).segments == load_release(first).segments
    impact, drift = impact_and_drift_in((again / "report.json").read_bytes())
    assert impact is not None
    assert impact.by_model is not None
    assert impact.by_behaviour is not None
    assert (impact.by_model.pairs, impact.by_behaviour.pairs) == ((), ())
    assert drift is not None
    assert [each.psi for each in drift.features] == [0.0] * 7


def test_a_later_retrain_on_the_same_data_moves_nobody(first: Path, tmp_path: Path) -> None:
    """Also where it is no longer the same release: it was asked as of another time."""
    second = trained(tmp_path, MORE, current=current_from(first))
    third = trained(tmp_path, MORE, current=current_from(second), window=Window(CREATED_AT))
    assert load_release(third).continues == second.name != third.name
    assert segments_of(third) == segments_of(second)


def test_other_data_in_the_same_space(first: Path, tmp_path: Path) -> None:
    current = load_release(first)
    second = load_release(trained(tmp_path, MORE, current=current_from(first)))
    assert (second.space, second.continues) == (current.space, current.version)
    assert [segment.id for segment in second.segments] == [segment.id for segment in current.segments]
    assert [segment.name for segment in second.segments] == [segment.name for segment in current.segments]
    assert second.next_segment == current.next_segment
    assert [s.centre for s in second.segments] != [s.centre for s in current.segments]


def test_the_same_current_release_and_data_give_the_same_bytes(first: Path, tmp_path: Path) -> None:
    made = [trained(tmp_path / name, MORE, current=current_from(first)) for name in "ab"]
    assert made[0].name == made[1].name
    for path in made[0].iterdir():
        assert path.read_bytes() == (made[1] / path.name).read_bytes(), path.name


def test_any_number_of_threads_gives_the_same_bytes(first: Path, tmp_path: Path) -> None:
    made = []
    for threads in (1, 4):
        with threadpool_limits(threads):
            folder = trained(tmp_path / str(threads), MORE, current=current_from(first))
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(made[0]) == 7
    assert made[0] == made[1]


def test_the_impact_is_what_both_releases_say(first: Path, tmp_path: Path) -> None:
    folder = trained(tmp_path, MORE, current=current_from(first))
    impact, _ = impact_and_drift_in((folder / "report.json").read_bytes())
    users = pq.read_table(folder / "assignments.parquet")
    pairs: dict[tuple[int, int], int] = {}
    olds = score(load_release(first), users).segments.tolist()
    for pair in zip(olds, users["segment"].to_pylist(), strict=True):
        pairs[pair] = pairs.get(pair, 0) + 1
    assert impact is not None
    assert impact.current == first.name
    assert impact.by_model is not None
    assert {(p.previous, p.segment): p.users for p in impact.by_model.pairs} == {
        pair: count for pair, count in pairs.items() if pair[0] != pair[1]
    }
    assert impact.by_model.users == users.num_rows
    # The users of the first release have the features that they had.
    assert impact.by_behaviour is not None
    assert (impact.by_behaviour.users, impact.by_behaviour.pairs) == (len(segments_of(first)), ())


def test_behaviour_moves_users_whom_the_model_leaves(first: Path, tmp_path: Path) -> None:
    """Every user of one segment does today what those of another did."""
    current = current_from(first)
    rows = a_shop().to_pylist()
    old = segments_of(first)
    model = next(row for row in rows if old.get(row["user_id"]) == 0)
    changed = {row["user_id"] for row in rows if old.get(row["user_id"]) == 1}
    today = [{**model, "user_id": row["user_id"]} if row["user_id"] in changed else row for row in rows]
    table = pa.Table.from_pylist(today, a_shop().schema)
    impact, _ = impact_and_drift_in((trained(tmp_path, table, current=current) / "report.json").read_bytes())
    assert impact is not None
    assert impact.by_behaviour is not None
    (pair,) = impact.by_behaviour.pairs
    assert (pair.previous, pair.segment, pair.users) == (1, 0, len(changed))


def test_without_its_folder_only_the_model_s_part_is_told(first: Path, tmp_path: Path) -> None:
    current = Current(load_release(first), 5)
    report = (trained(tmp_path, MORE, current=current) / "report.json").read_bytes()
    impact, drift = impact_and_drift_in(report)
    assert impact is not None
    assert impact.by_model is not None
    assert (impact.by_behaviour, drift) == (None, None)


def test_a_refit_keeps_the_ids_of_segments_that_live_on(first: Path, tmp_path: Path) -> None:
    again = load_release(trained(tmp_path, MORE, current=current_from(first), refit_space=True))
    assert again.continues == first.name
    assert again.space != load_release(first).space
    known = {segment.id for segment in load_release(first).segments}
    assert known & {segment.id for segment in again.segments}
    assert again.next_segment == max(5, *(segment.id + 1 for segment in again.segments))


def test_an_id_that_was_given_elsewhere_is_not_given_again(first: Path, tmp_path: Path) -> None:
    """Another release has given 5 to 8; the new segments of a refit with more segments come after."""
    current = Current(load_release(first), 9)
    settings = FitSettings(k=7, k_min=7)
    made = load_release(trained(tmp_path, settings=settings, current=current, refit_space=True))
    new = sorted({segment.id for segment in made.segments} - set(range(5)))
    assert len(new) >= 2
    assert new == list(range(9, 9 + len(new)))
    assert made.next_segment == 9 + len(new)


def test_users_with_a_value_that_the_space_does_not_know_are_left_out_and_counted(
    first: Path, tmp_path: Path
) -> None:
    rows = a_shop().drop_null().to_pylist()
    for place, row in enumerate(rows[:7]):
        row["most_frequent_brand"] = "new brand"
        row["country"] = "Atlantis" if place < 2 else row["country"]
    said: list[str] = []
    shop = Shop(pa.Table.from_pylist(rows, a_shop().schema))
    folder = train(shop, QUICK, tmp_path, said.append, current=current_from(first))
    assert load_release(folder).training.users_used == len(rows) - 7
    assert any(line.startswith("leaving out 7 users") for line in said)
    assert unseen_in((folder / "report.json").read_bytes()) == {"country": 2, "most_frequent_brand": 7}


def test_a_value_that_the_kept_space_does_not_know_is_drift(first: Path, tmp_path: Path) -> None:
    rows = a_shop().drop_null().to_pylist()
    new = len(rows) // 2
    for row in rows[:new]:
        row["country"] = "Atlantis"
    folder = trained(tmp_path, pa.Table.from_pylist(rows, a_shop().schema), current=current_from(first))
    _, drift = impact_and_drift_in((folder / "report.json").read_bytes())
    assert drift is not None
    country = next(each for each in drift.features if each.name == "country")
    atlantis = next(each for each in country.bins if each.value == "Atlantis")
    assert (atlantis.before, atlantis.now) == (0.0, new / len(rows))
    assert country.drifted


def test_nobody_is_known(first: Path) -> None:
    everybody = select(a_shop(), FitSettings())
    strange = everybody.rows.set_column(2, "gender", [["X"] * everybody.users_used])
    release = load_release(first)
    with pytest.raises(
        BadTraining, match=r"every training user has a value .* does not know: learn everything again"
    ):
        within(type(everybody)(strange, 1, 0, {}, {}), release)


def test_the_recommended_preset_is_continued_in_its_space(tmp_path: Path) -> None:
    kinds = replaced(PRESETS["recommended"], k=3)
    first = trained(tmp_path / "first", a_shop_of_kinds(), settings=kinds)
    second = trained(tmp_path, a_shop_of_kinds(700), settings=kinds, current=current_from(first))
    assert load_release(second).space == load_release(first).space
    before = segments_of(first)
    same = [before[user] == segment for user, segment in segments_of(second).items() if user in before]
    assert (len(same), all(same)) == (600, True)


def test_a_retrain_keeps_the_borders_of_groups_and_refit_space_learns_them_anew(tmp_path: Path) -> None:
    age = replace(features_named("age")[0], quantile=5)
    settings = replaced(QUICK, features=(age, *features_named("gender", "total_orders")))
    first = trained(tmp_path / "first", settings=settings)
    rows = [{**row, "age": None if row["age"] is None else row["age"] + 20} for row in MORE.to_pylist()]
    older = pa.Table.from_pylist(rows, MORE.schema)
    current = current_from(first)
    kept = trained(tmp_path / "kept", older, settings=settings, current=current)
    anew = trained(tmp_path / "anew", older, settings=settings, current=current, refit_space=True)
    borders = [load_release(folder).features[0].cuts for folder in (first, kept, anew)]
    assert len(borders[0]) == 4
    assert borders[1] == borders[0]
    assert all(before < now for before, now in zip(borders[0], borders[2], strict=True))
    spaces = [load_release(folder).space for folder in (first, kept, anew)]
    assert spaces[0] == spaces[1] != spaces[2]


def test_a_kept_space_gives_the_components_of_the_release(first: Path) -> None:
    release = load_release(first)
    selection = within(select(MORE, QUICK), release)
    made = fit(selection, QUICK, start_from(release, selection, QUICK))
    np.testing.assert_allclose(made.components, score(release, selection.rows).components, atol=1e-12)
    steps = made.pipeline.named_steps
    scaled = steps["scale"].transform(steps["encode"].transform(selection.rows))
    # What the axes keep: the variance of the components over the variance of all columns.
    expected = made.components.var(axis=0) / scaled.var(axis=0).sum()
    np.testing.assert_allclose(steps["project"].explained_variance_ratio_, expected, rtol=1e-12)


def test_a_worker_scores_a_continued_release_as_its_pipeline_does(first: Path) -> None:
    """With ids that are not the clusters' places."""
    release = load_release(first)
    selection = within(select(MORE, QUICK), release)
    made = fit(selection, QUICK, start_from(release, selection, QUICK))
    identity = Identity((3, 9, 0, 12, 1), 13, release.version)
    scorer = Scorer(decode_release(encode_release(release_of(made, list("abcde"), Window(), identity))))
    scores = [scorer.score(row) for row in MORE.select(list(QUICK.names)).to_pylist()]
    components = made.pipeline[:-1].transform(MORE)
    np.testing.assert_allclose([each.components for each in scores], components, atol=1e-9)
    places = made.pipeline[-1].predict(components).tolist()
    assert [each.segment for each in scores] == [identity.ids[place] for place in places]


def test_the_figures_are_those_of_the_clusters_in_use(first: Path, tmp_path: Path) -> None:
    """Not those of the search, which begins with other centres."""
    folder = trained(tmp_path, MORE, current=current_from(first))
    release = load_release(folder)
    table = pq.read_table(folder / "assignments.parquet")
    components = np.column_stack([table["component_1"], table["component_2"]])
    centres = {segment.id: segment.centre for segment in release.segments}
    own = np.array([centres[id_] for id_ in table["segment"].to_pylist()])
    assert release.metrics["sse"] == pytest.approx(((components - own) ** 2).sum(), rel=1e-9)
    told = json.loads((folder / "report.json").read_text())
    (row,) = [row for row in told["search"]["rows"] if row["k"] == told["k"]]
    assert (row["sse"], row["silhouette"]) == (release.metrics["sse"], release.metrics["silhouette"])


COUNTRIES = {"C0": (3, 2), "C1": (3, 9), "C2": (5, 6), "C3": (11, 9)}
FEW = FitSettings(encoding="one-hot", k=4, features=features_named("gender", "country"))


def of_countries(*, women: tuple[str, ...], men: tuple[str, ...] | None = None) -> pa.Table:
    """Users who differ in gender and country alone, of these countries."""
    counted = [("F", name, COUNTRIES[name][0]) for name in women]
    counted += [("M", name, COUNTRIES[name][1]) for name in (women if men is None else men)]
    return features_table(
        [
            {"user_id": f"{gender}{country}{number}", "gender": gender, "country": country}
            for gender, country, count in counted
            for number in range(count)
        ]
    )


@pytest.fixture(scope="module")
def countries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("countries"), of_countries(women=tuple(COUNTRIES)), settings=FEW)


def test_a_segment_that_lost_its_users_ends_and_the_others_go_on(countries: Path, tmp_path: Path) -> None:
    """With as many different users as segments, where scikit-learn begins with others or gives up."""
    before = load_release(countries)
    table = of_countries(women=("C0", "C2"))
    made = load_release(
        trained(tmp_path, table, settings=replaced(FEW, k=None), current=current_from(countries))
    )
    assert (made.space, made.continues) == (before.space, before.version)
    names = {segment.id: segment.name for segment in before.segments}
    assert all(names[segment.id] == segment.name for segment in made.segments)
    assert 2 <= len(made.segments) < 4
    assert made.next_segment == before.next_segment
    impact, _ = impact_and_drift_in((tmp_path / made.version / "report.json").read_bytes())
    assert impact is not None
    assert impact.by_model is not None
    assert impact.by_model.pairs == ()  # the segment that ended had nobody


@pytest.mark.parametrize(
    ("k", "women", "expected"),
    [
        (4, ("C0", "C2"), 4),
        (2, tuple(COUNTRIES), 2),
        (6, tuple(COUNTRIES), 6),
        (None, ("C0",), 2),  # country became constant
        (2, ("C0",), 2),
    ],
)
def test_another_number_of_segments_in_the_kept_space(
    k: int | None, women: tuple[str, ...], expected: int, countries: Path, tmp_path: Path
) -> None:
    before = load_release(countries)
    settings = replaced(FEW, k=k)
    made = load_release(
        trained(tmp_path, of_countries(women=women), settings=settings, current=current_from(countries))
    )
    assert (made.space, len(made.segments)) == (before.space, expected)
    kept = {segment.id for segment in before.segments}
    assert kept & {segment.id for segment in made.segments}
    assert all(segment.id in kept or segment.id >= before.next_segment for segment in made.segments)


@pytest.mark.parametrize(
    ("k", "women", "men", "said"),
    [
        (5, ("C0", "C2"), None, "only 4 different positions .* set k to 4 or less, or leave it out to keep"),
        (
            None,
            (),
            ("C1", "C2"),
            r"all 15 training users lie in its segment \d .*, search for .* with --refit-space$",
        ),
        (None, (), ("C1",), "they are all equal, so that --refit-space finds no segments either"),
        (4, (), ("C0",), "only 2 users can be trained on, of 2 read, and 4 segments need at least 4"),
    ],
    ids=["k above the positions", "one segment left", "all equal", "fewer users than k"],
)
def test_what_cannot_be_continued_says_why_and_what_helps(
    k: int | None,
    women: tuple[str, ...],
    men: tuple[str, ...] | None,
    said: str,
    countries: Path,
    tmp_path: Path,
) -> None:
    table = of_countries(women=women, men=men)
    with pytest.raises(BadTraining, match=said):
        trained(tmp_path, table, settings=replaced(FEW, k=k), current=current_from(countries))


def test_a_version_is_its_content_with_what_it_continues(first: Path, tmp_path: Path) -> None:
    second = load_release(trained(tmp_path, MORE, current=current_from(first)))
    assert version_of(replace(second, continues=None)) != second.version
