"""Translation rules on the syntax tree that sqlglot does not have."""

from collections.abc import Callable, Mapping

from sqlglot import exp

_Rule = Callable[[exp.Query], None]


def adapt(query: exp.Query, dialect: str) -> None:
    """Change a query parsed from DuckDB's dialect so that sqlglot writes it correctly in another dialect.

    Args:
        query: changed in place.
        dialect: sqlglot's name of the warehouse's dialect.
    """
    for rule in _RULES.get(dialect, ()):
        rule(query)


# The function that decodes bytes as UTF-8; it fails for other bytes.
_DECODES: Mapping[str, tuple[str, ...]] = {"duckdb": ("decode",), "postgres": ("convert_from", "UTF8")}
DECODING = frozenset(_DECODES)
TRYING = "duckdb"


def decoded(column: exp.Expression, dialect: str) -> exp.Expression:
    """A column of bytes as text, in a dialect of :data:`DECODING`."""
    function, *charset = _DECODES[dialect]
    return exp.Anonymous(this=function, expressions=[column, *map(exp.Literal.string, charset)])


def tried(decoding: exp.Expression) -> exp.Expression:
    """The same, but null for bytes that are not text; only DuckDB can do this."""
    return exp.Anonymous(this="try", expressions=[decoding])


def _byte_length(query: exp.Query) -> None:
    """Replace ``strlen``, DuckDB's name for the length of a text in bytes."""
    for function in _strlen(query):
        function.replace(exp.ByteLength(this=function.expressions[0]))


def _octet_length(query: exp.Query) -> None:
    """Replace ``strlen`` by name: sqlglot would write its own node as a function that PostgreSQL does not
    have.
    """
    for function in _strlen(query):
        function.set("this", "octet_length")


def _strlen(query: exp.Query) -> list[exp.Anonymous]:
    return [function for function in query.find_all(exp.Anonymous) if function.name.lower() == "strlen"]


def _no_collation(query: exp.Query) -> None:
    """Remove the collation: there, text compares by its UTF-8 bytes by default, and "C" does not exist."""
    for collate in list(query.find_all(exp.Collate)):
        collate.replace(collate.this)


def _shift_snowflake(query: exp.Query) -> None:
    """Replace ``count * interval``: in Snowflake an interval is a constant and cannot be multiplied."""
    for difference, at, count, unit in _shifts_before(query):
        difference.replace(exp.DateAdd(this=at, expression=exp.Neg(this=exp.paren(count)), unit=unit))


def _shift_bigquery(query: exp.Query) -> None:
    """Replace ``count * interval`` by a safe call: in BigQuery a time outside the years 1 to 9999 is an
    error.
    """
    for difference, at, count, unit in _shifts_before(query):
        difference.replace(
            exp.SafeFunc(this=exp.DatetimeSub(this=at, expression=exp.paren(count), unit=unit))
        )


def _difference_bigquery(query: exp.Query) -> None:
    """Use ``datetime_diff``: BigQuery's ``date_diff`` knows no microseconds."""
    for difference in list(query.find_all(exp.DateDiff)):
        if difference.args["unit"].name.upper() == "DAY":
            continue
        difference.replace(exp.DatetimeDiff(**difference.args))


def _shifts_before(query: exp.Query) -> list[tuple[exp.Sub, exp.Expr, exp.Expr, exp.Var]]:
    """Each ``time - count * interval '1 minute'``, or second, with time, count and unit."""
    return [
        (
            difference,
            difference.this,
            difference.expression.this,
            exp.var(difference.expression.expression.args["unit"].name),
        )
        for difference in query.find_all(exp.Sub)
        if isinstance(difference.expression, exp.Mul)
        and isinstance(difference.expression.expression, exp.Interval)
    ]


def _try_cast_of_text(query: exp.Query) -> None:
    """Mark ``try_cast`` as a cast of text: Snowflake allows no other, and sqlglot would write ``cast`` if
    unsure.
    """
    for cast in query.find_all(exp.TryCast):
        cast.set("requires_string", True)


def _large_decimals(query: exp.Query) -> None:
    """Use ``bignumeric``: BigQuery's ``numeric`` has at most 29 digits before the point,
    ``bignumeric`` 38.
    """
    for kind in query.find_all(exp.DataType):
        if kind.is_type(exp.DType.DECIMAL):
            kind.replace(exp.DataType.build(exp.DType.BIGDECIMAL))


def _rows_before_first_value(query: exp.Query) -> None:
    """Use a frame of rows: BigQuery's default frame, of ranges, refuses ``nulls last``.

    The first row of the partition is the same in both.
    """
    for window in query.find_all(exp.Window):
        if isinstance(window.this, exp.FirstValue) and not window.args.get("spec"):
            window.set(
                "spec",
                exp.WindowSpec(
                    kind="ROWS",
                    start="UNBOUNDED",
                    start_side="PRECEDING",
                    end="CURRENT ROW",
                ),
            )


_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "postgres": (_octet_length,),
    "snowflake": (_byte_length, _no_collation, _shift_snowflake, _try_cast_of_text),
    "bigquery": (
        _byte_length,
        _no_collation,
        _shift_bigquery,
        _difference_bigquery,
        _large_decimals,
        _rows_before_first_value,
    ),
}
