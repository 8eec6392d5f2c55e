"""Writes a file that must not exist yet."""

from __future__ import annotations

from pathlib import Path

from segue.config.command_line import bad_option


def check_new(file: Path) -> None:
    """Check that a file does not exist and its folder does.

    Raises:
        BadUsage: it exists, or there is no such folder.
    """
    if file.exists() or file.is_symlink():
        raise _exists(file)
    if not file.parent.is_dir():
        raise bad_option("--out", str(file), f"there is no folder {file.parent}, make it first")


def write_new(file: Path, text: str) -> None:
    """Write a new file.

    Raises:
        BadUsage: it exists, or it cannot be written.
    """
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise _exists(file) from None
    except OSError as error:
        raise bad_option("--out", str(file), f"it cannot be written ({error.strerror})") from None


def _exists(file: Path) -> Exception:
    return bad_option("--out", str(file), "this file exists and stays as it is: name another one by --out")
