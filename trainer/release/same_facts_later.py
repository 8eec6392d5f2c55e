"""The training users of a release on a later day, if nothing had happened since."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from schemas.release.model_release import ModelRelease


def on_day(release: ModelRelease, users: pa.Table, day: date | None) -> pa.Table | None:
    """The same facts on another day: days since a date grow by the days between.

    Args:
        release: the release whose training users these are.
        users: its training users, with features by name.
        day: the other day; None if it is not known.

    Returns:
        The users on that day. None if a day is not known, if the other day is earlier (facts would be missing
        then), or if the model has a feature of time of another kind.
    """
    trained = release.training.day_read
    aged = [feature for feature in release.declared if feature.of_time]
    if day is None or trained is None or day < trained or any(each.kind != "days_since" for each in aged):
        return None
    for feature in aged:
        place = users.column_names.index(feature.name)
        later = pc.add(users[feature.name], float((day - trained).days))
        users = users.set_column(place, feature.name, later)
    return users
