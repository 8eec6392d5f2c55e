"""The queries over the warehouse, as package data: one definition of what is a fact, and what is made of it."""

from importlib import resources


def read(name: str) -> str:
    """The text of ``name``.sql, in DuckDB's dialect."""
    return resources.files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
