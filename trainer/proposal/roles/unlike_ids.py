"""Says why the ids of two tables do not meet: they may be written in two forms."""

from schemas.printable import printable_cell
from trainer.proposal.looks.desk import Desk, in_desk
from trainer.proposal.looks.same_ids import whole_id_sql
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.roles.column_roles import Found, subject_of
from trainer.proposal.roles.guesses import in_words

OVERLAP = 0.5
"""Which share of a column's different ids must be in another table."""
# An id of zeros alone keeps one.
_ZEROS = r"regexp_replace({}, '^0+(.)', '\1')"
# The SQL of an id in one form, the simplest first; both dialects know it.
_FORMS = (
    "trim({})",
    "lower({})",
    _ZEROS.format("{}"),
    "lower(trim({}))",
    _ZEROS.format("trim({})"),
    _ZEROS.format("lower(trim({}))"),
)


def unlike_ids(
    one: Found, of: ShopColumn, other: Found, with_: ShopColumn, desk: Desk, *, needed: bool
) -> str | None:
    """Say that another table is not read, as few of a column's ids are in it, and how ids would be alike.

    Args:
        one: the table that refers, such as the orders.
        of: its column.
        other: the table that is not read.
        with_: its column of ids.
        desk: the copies.
        needed: whether no further table has the users.

    Returns:
        The sentence; None if the ids are alike in no form, and the table's name names no users or the users
        are known from another table.
    """
    for form in _FORMS:
        samples = _samples(form, of, with_, desk)
        if samples is not None:
            fix = (
                f"they are alike as {form.format('…')}: write such ids in a query for each of the two tables"
                " (docs/your-data.md)"
            )
            break
    else:
        if not needed or subject_of(other.table.name) != "user" or not (of.samples and with_.samples):
            return None
        samples = with_.samples[0], of.samples[0]
        fix = "if they mean the same users, make them alike in a query (docs/your-data.md)"
    quoted = ", ".join(f'"{printable_cell(sample)}"' for sample in samples)
    return (
        f"{in_words(other.table, with_)} and {in_words(one.table, of)} share too few values ({quoted}), so"
        f" {printable_cell(other.table.name)} is not read; {fix}"
    )


def _samples(form: str, of: ShopColumn, with_: ShopColumn, desk: Desk) -> tuple[str, str] | None:
    """Two ids that are the same in a form; None if too few ids are in both columns."""
    ids, known = (
        f"select {form.format(whole_id_sql(in_desk(c)))} as v, min({in_desk(c)}) as id"  # noqa: S608
        f" from {c.place.partition('.')[0]} where {in_desk(c)} is not null group by 1"
        for c in (of, with_)
    )
    both = f"from ({ids}) as a inner join ({known}) as b using (v)"
    if desk.one(f"select count(*) {both}") < OVERLAP * max(1, desk.one(f"select count(*) from ({ids})")):  # noqa: S608
        return None
    mine, theirs = (
        desk.text(f"select {x} {both} where a.id <> b.id order by v limit 1") for x in ("a.id", "b.id")
    )
    return None if mine is None or theirs is None else (theirs, mine)
