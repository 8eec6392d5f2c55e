"""A warehouse in BigQuery, read with Google's client; the client finds the credentials itself."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
from sqlglot import exp

from schemas.errors import BadSource, BadWarehouse
from trainer.warehouse.kinds.arrow_batches import of_rows
from trainer.warehouse.kinds.drivers import driver
from trainer.warehouse.kinds.warehouse_source import NoTable, Row, check_has, failing, query_hint
from trainer.warehouse.tables.table_names import Names
from trainer.warehouse.tables.table_references import references

SCHEME = "bigquery"

_ROWS_A_PAGE = 10_000
_NO_TABLE = "404 "  # the beginning of the client's message about a table that does not exist
_WRONG_QUERY = ("400 ", _NO_TABLE)


class BigQuerySource:
    """See :class:`trainer.warehouse.kinds.warehouse_source.Source`.

    Each query sees the rows at its own time: do not change the tables while a release is trained.
    """

    dialect = "bigquery"
    session = ()

    def __init__(self, url: str, names: Names) -> None:
        """Find the credentials. The first call to BigQuery is :meth:`columns`.

        Raises:
            NotInstalled: the client is not installed.
            BadWarehouse: the URL is wrong, or there are no credentials.
            BadSetting: a setting is neither a table's name nor a query that only reads.
        """
        self.tables = references(names, self.dialect)
        self._names = names
        self.csv_files: Mapping[str, Path] = {}
        self._project, self._dataset, location = _parts(url)
        self.name = f"BigQuery dataset {self._project}.{self._dataset}"
        bigquery = driver("google.cloud.bigquery", SCHEME)
        self._errors = (
            driver("google.api_core.exceptions", SCHEME).GoogleAPIError,
            driver("google.auth.exceptions", SCHEME).GoogleAuthError,
        )
        with self._failures(f"{self.name} does not let us in"):
            self._client = bigquery.Client(
                project=self._project,
                location=location,
                default_query_job_config=bigquery.QueryJobConfig(
                    default_dataset=f"{self._project}.{self._dataset}"
                ),
            )

    def columns(self, table: str) -> Mapping[str, str]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.columns`."""
        check_has(self._names, table, self.name)
        if self._names.query(table) is not None:
            with self._failures(failing(table, self.name), of_a_query=True):
                query = f"select * from {self.tables[table]} as {table} limit 0"  # noqa: S608 - checked
                fields = self._client.query(query).result().schema
        else:
            what = f"{self.name} has no table {self._names.describe(table)} that can be read"
            with self._failures(what, of_a_table=True):
                fields = self._client.get_table(self._full_name(table)).schema
        return {str(field.name): _kind(field) for field in fields}

    def rows(self, query: str) -> Iterator[Row]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.rows`."""
        with self._failures(f"{self.name} cannot be read", hint=query_hint(self._names)):
            # Pages keep the order of the rows; the faster Storage API does not.
            for row in self._client.query(query).result(page_size=_ROWS_A_PAGE):
                yield row.values()

    def batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.batches`."""
        return of_rows(self.rows(query), schema)

    def close(self) -> None:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.close`."""
        self._client.close()

    def _full_name(self, table: str) -> str:
        """Project, dataset and table; the URL gives the parts that the name does not have."""
        reference = exp.to_table(self.tables[table], dialect=self.dialect)
        return ".".join((reference.catalog or self._project, reference.db or self._dataset, reference.name))

    @contextlib.contextmanager
    def _failures(
        self, what: str, hint: str = "", *, of_a_table: bool = False, of_a_query: bool = False
    ) -> Iterator[None]:
        """Turn the client's errors into :class:`~schemas.errors.BadWarehouse`: ``what``, reason, ``hint``."""
        try:
            yield
        except self._errors as error:
            message = " ".join(str(error).split())
            kind = NoTable if of_a_table and message.startswith(_NO_TABLE) else BadWarehouse
            if of_a_query and message.startswith(_WRONG_QUERY):
                kind = BadSource
            raise kind(f"{what}: {message}{hint}") from None


def _kind(field: Any) -> str:
    """The type of a column; a repeated column is an array."""
    kind = str(field.field_type)
    return f"ARRAY<{kind}>" if getattr(field, "mode", None) == "REPEATED" else kind


def _parts(url: str) -> tuple[str, str, str | None]:
    """Project, dataset and location of a URL; the location may be None."""
    parts = urlsplit(url)
    dataset = parts.path.strip("/")
    options = parse_qs(parts.query)
    if (
        not parts.netloc
        or not dataset
        or "/" in dataset
        or "@" in parts.netloc
        or options.keys() - {"location"}
    ):
        raise BadSource(
            "the BigQuery URL cannot be read: write it as bigquery://project/dataset, with ?location=EU "
            "where it is not in the US; credentials come from GOOGLE_APPLICATION_CREDENTIALS or gcloud, "
            "never from the URL"
        )
    return parts.netloc, dataset, options.get("location", [None])[0]
