"""The values of a shop's columns in the warehouse's SQL, in the form that Segue reads."""

from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.written.date_forms import EPOCH_MS, EPOCH_S
from trainer.proposal.written.number_forms import CURRENCIES
from trainer.proposal.written.postgres_times import postgres_time
from trainer.warehouse.tables.sql_literals import literal

# Of ASCII these alone: what else stands beside digits makes no number, and an exponent stays.
_SIGNS = f"({CURRENCIES})|[$%]|[^!-~]"
_A_NUMBER = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"


def bare_sql(x: str) -> str:
    """A text without currencies, percent signs, blanks, and characters that are not ASCII."""
    return f"regexp_replace({x}, '{_SIGNS}', '', 'g')"


def number_sql(x: str, column: ShopColumn) -> str:
    r"""A number as text with a decimal point, from the column's SQL.

    A mark of thousands goes only before three digits: a text in another form must not become a number.

    >>> from trainer.proposal.written.number_forms import NumberForm
    >>> number_sql("price", ShopColumn("price", "number", 1, 1, 1, number=NumberForm(",", True)))
    "replace(regexp_replace(price, '[.'']([0-9]{3})', '\\1', 'g'), ',', '.')"
    """
    form = column.number
    if form.signs:
        x = bare_sql(x)
    if form.decimal == ",":
        digits = _ungrouped(x, "[.'']")
        return f"replace({digits}, ',', '.')"
    return _ungrouped(x, ",") if form.thousands else x


def _ungrouped(x: str, mark: str) -> str:
    return rf"regexp_replace({x}, '{mark}([0-9]{{3}})', '\1', 'g')"


def double_sql(x: str, column: ShopColumn, dialect: str) -> str:
    """A number as a double, for a calculation; null for a text that is no number."""
    if column.is_typed:
        return x
    text = number_sql(x, column)
    if dialect == "duckdb":
        return f"try_cast({text} as double)"
    return f"case when {text} ~ '{_A_NUMBER}' then cast({text} as double precision) end"


def time_sql(x: str, column: ShopColumn, dialect: str) -> str:
    """A time, from the column's SQL; a form that Segue reads by itself stays as it is.

    >>> from trainer.proposal.written.date_forms import DateForm
    >>> a_date = ShopColumn("d", "date", 1, 1, 1, date=DateForm(("%m/%d/%Y",)))
    >>> time_sql("d", a_date, "duckdb")
    "try_strptime(d, '%m/%d/%Y')"
    """
    forms = column.date.forms if column.date is not None else ()
    if column.date is not None and column.date.blanks:
        x = f"trim({x})"
    if not forms:
        return x
    if forms[0] in (EPOCH_S, EPOCH_MS):
        divided = "" if forms[0] == EPOCH_S else " / 1000"
        if dialect == "duckdb":
            return f"epoch_ms(try_cast({x} as bigint){'' if divided else ' * 1000'})"
        return f"to_timestamp(cast({x} as double precision){divided})::timestamp"
    if dialect == "duckdb":
        given = literal(forms[0]) if len(forms) == 1 else f"[{', '.join(map(literal, forms))}]"
        return f"try_strptime({x}, {given})"
    return postgres_time(x, forms)


def timestamp_sql(x: str, column: ShopColumn, dialect: str) -> str:
    """A time as a timestamp, for a calculation."""
    if column.is_typed or (column.date is not None and column.date.forms):
        return time_sql(x, column, dialect)
    return f"try_cast({x} as timestamp)" if dialect == "duckdb" else f"cast({x} as timestamp)"


def age_sql(x: str, column: ShopColumn, day: str, dialect: str) -> str:
    """The age on a day, in years, from a column of birthdays.

    Args:
        x: the column's SQL.
        column: what its values look like. With years of two digits, a birthday after the day is taken to be
            one 100 years earlier.
        day: the day, YYYY-MM-DD.
        dialect: ``duckdb`` or ``postgres``.
    """
    born = timestamp_sql(x, column, dialect)
    if has_short_years(column):
        born = f"{born} - interval '1 year' * case when {born} > timestamp '{day}' then 100 else 0 end"
    if dialect == "duckdb":
        return f"date_sub('year', {born}, timestamp '{day}')"
    return f"date_part('year', age(timestamp '{day}', {born}))"


def has_short_years(column: ShopColumn) -> bool:
    """Whether years of a column's dates have two digits, so that the century is not said."""
    return column.date is not None and any("%y" in form for form in column.date.forms)
