"""What to do about numbers and times of CSV files that are not read."""

from trainer.warehouse.queries.csv_values import thousands_of
from trainer.warehouse.tables.reading_rules import Csv


def times_advice(form: Csv, usual: str) -> str:
    """How a time is written.

    Args:
        form: how the file is written.
        usual: the forms of a time without declared forms.
    """
    if form.dates:
        forms = " or ".join(f'"{one}"' for one in form.dates)
        return f"[csv] dates in segue.toml says that a time is written as {forms}"
    return f'{usual}; declare another form under [csv] in segue.toml, such as dates = "%d.%m.%Y"'


def numbers_advice(form: Csv | None, *, comma: bool) -> str:
    """How a number is written; empty where nothing is to be said.

    Args:
        form: how the file is written; None for a table that is no CSV file.
        comma: whether an example has a decimal comma.
    """
    if form is not None and (form.decimal == "," or form.thousands is not None):
        marks = thousands_of(form)
        example = f"1{marks[0]}234{form.decimal}50" if marks else f"1234{form.decimal}50"
        return f"[csv] in segue.toml says that a number is written as {example}"
    if not comma:
        return ""
    point = "the decimal mark is a point: 12.50"
    return point if form is None else f'{point}, or set decimal = "," under [csv] in segue.toml'
