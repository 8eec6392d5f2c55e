"""The console says of drift what doctor says, and what is not known is empty."""

from segue.console.facts.drift_facts import drift_facts
from segue.doctor.check import OK
from segue.doctor.on_drift import drift_check
from tests.support.worlds.made_up_console import DRIFTED
from tests.support.worlds.made_up_release import an_active_model


def test_the_line_is_that_of_doctor_and_each_feature_has_its_verdict() -> None:
    model = an_active_model()
    made = drift_facts(model, DRIFTED)
    check = drift_check(model.release.version, DRIFTED)
    assert (made.state, made.text, made.fix) == (check.state, check.text, check.fix)
    assert [each.verdict for each in made.features] == [
        "not as in training",
        "values that training never saw",
        "as in training",
    ]
    assert (made.users, made.compared, made.read_at) == (500, 400, DRIFTED.at)


def test_without_a_release_or_a_profile_nothing_is_made_up() -> None:
    assert drift_facts(None, None).text.startswith("no release is in use")
    older = drift_facts(an_active_model(), None)
    assert (older.state, older.features, older.read_at) == (OK, (), None)
    assert older.text.endswith("does not say how its training users were spread")
