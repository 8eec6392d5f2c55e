"""Copies of CSV files in UTF-8, for files in another encoding: DuckDB reads few others."""

import contextlib
import errno
import io
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

from schemas.errors import BadWarehouse, NoRoom
from trainer.warehouse.kinds import csv_files
from trainer.warehouse.kinds.csv_records import encoding_of, is_utf8, opened
from trainer.warehouse.tables.reading_rules import Csv


class Utf8Copies:
    """Copies in a temporary directory, which is made when needed and removed by :meth:`close`."""

    def __init__(self, form: Csv) -> None:
        """Copy nothing yet.

        Args:
            form: how the files are written.
        """
        self._form = form
        self._copies: dict[Path, Path] = {}
        self._cleanup = contextlib.ExitStack()
        self._directory: Path | None = None

    @property
    def directory(self) -> Path:
        """The directory of the copies."""
        if self._directory is None:
            made = tempfile.TemporaryDirectory(prefix="segue-csv-")
            self._directory = Path(self._cleanup.enter_context(made))
        return self._directory

    def of(self, path: Path) -> Path:
        """The file to read: the file itself if it is in UTF-8 (or Parquet), else its copy.

        Raises:
            BadWarehouse: the file cannot be read, or has bytes that are not of its encoding.
            NoRoom: its copy does not fit into the directory for temporary files.
        """
        if path in self._copies:
            return self._copies[path]
        self._copies[path] = path if path.suffix.lower() == ".parquet" else self._copied(path)
        return self._copies[path]

    def original(self, copy: Path) -> Path:
        """The shop's file of a copy; another path is itself."""
        return next((path for path, made in self._copies.items() if made == copy), copy)

    def close(self) -> None:
        """Remove the copies."""
        self._cleanup.close()

    def _copied(self, path: Path) -> Path:
        encoding = encoding_of(path, self._form)
        if is_utf8(encoding):
            return path
        copy = self.directory / f"{len(self._copies)}.csv"
        csv_files.header(path, self._form)  # a file that is no text is told as such
        try:
            with opened(path) as file, copy.open("w", encoding="utf-8", newline="") as target:
                text = io.TextIOWrapper(file, encoding, newline="")
                self._write(text, target, path)
        except UnicodeError as error:
            told = csv_files.trouble(path, self._form)
            raise BadWarehouse(told or f"{path} cannot be read as {encoding}: {error}") from None
        return copy

    def _write(self, text: TextIO, target: TextIO, path: Path) -> None:
        try:
            shutil.copyfileobj(text, target)
            target.flush()  # what is still in its buffer needs room, too
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise NoRoom(
                f"no room for a copy of {path} in UTF-8 in {self.directory.parent} ({error.strerror}): make "
                "room, set TMPDIR to a larger folder, or save the file as UTF-8"
            ) from None
