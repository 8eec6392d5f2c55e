"""A wheel is whole (code, queries, scripts, pins, the sample), and disturbs no other package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "trainer", "streamer", "segue")
JUPYSQL = "jupysql==0.11.1"
NOTEBOOK = "ipython==9.4.0"  # which jupysql takes to be there


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from a copy without a Git history, as the images build it."""
    made = tmp_path_factory.mktemp("wheel")
    source = made / "source"
    source.mkdir()
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, source)
    for folder in (*PACKAGES, "sql"):
        without = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=without)
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", f"-w{made}", str(source))
    (built,) = made.glob("*.whl")
    return built


def pip(python: str | Path, *arguments: str) -> None:
    """Run pip; fail with its words."""
    done = run(python, "-m", "pip", *arguments)
    assert done.returncode == 0, done.stderr


def run(python: str | Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, *arguments], capture_output=True, text=True, check=False, cwd=cwd)


def packed(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    wanted = {file.relative_to(ROOT) for package in PACKAGES for file in files_of(ROOT / package)}
    wanted |= {"trainer" / file.relative_to(ROOT) for file in files_of(ROOT / "sql")}
    assert packed(wheel) == {str(file) for file in wanted}


def files_of(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts]


def test_the_wheel_brings_four_packages_and_none_named_sql(wheel: Path) -> None:
    assert {name.partition("/")[0] for name in packed(wheel)} == set(PACKAGES)


def test_a_build_without_git_has_a_version_all_the_same(wheel: Path) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools_scm"]
    assert wheel.name.split("-")[:2] == ["segue_live", settings["fallback_version"]]


def test_a_clone_hides_no_package_named_sql() -> None:
    """A notebook that runs in the clone imports jupysql's: a folder without code is no rival to a package."""
    assert [file.name for file in files_of(ROOT / "sql") if file.suffix != ".sql"] == []


IMPORT_BOTH = """
import trainer, sql, sql.magic
from trainer.warehouse.queries.parsed_sql import parsed

assert "site-packages" in trainer.__file__ and sql.__version__
print(len(parsed("user_features").sql()), len(parsed("kinds/sum").sql()), sql.__file__)
"""


@pytest.mark.wide
def test_the_wheel_and_jupysql_break_neither(wheel: Path, tmp_path: Path) -> None:
    """Whichever is installed last."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    fetched = run(python, "-m", "pip", "install", JUPYSQL, NOTEBOOK)
    if fetched.returncode and "SEGUE_TEST_REQUIRE_SERVICES" not in os.environ:
        pytest.skip(f"{JUPYSQL} cannot be fetched here")
    assert fetched.returncode == 0, fetched.stderr
    pip(python, "install", "--no-deps", str(wheel))
    use_our_dependencies(python)

    ours_last = run(python, "-c", IMPORT_BOTH, cwd=tmp_path)
    pip(python, "install", "--no-deps", "--force-reinstall", JUPYSQL)
    theirs_last = run(python, "-c", IMPORT_BOTH, cwd=tmp_path)
    in_the_clone = run(python, "-c", "import sql.magic", cwd=ROOT)

    assert ours_last.returncode == 0, ours_last.stderr
    assert (theirs_last.returncode, theirs_last.stdout) == (0, ours_last.stdout), theirs_last.stderr
    assert in_the_clone.returncode == 0, in_the_clone.stderr


@pytest.mark.long
def test_the_base_is_a_subscriber_and_neither_faust_nor_redis_nor_the_trainer(
    wheel: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    installed = run(python, "-m", "pip", "install", str(wheel))
    if installed.returncode and "SEGUE_TEST_REQUIRE_SERVICES" not in os.environ:
        pytest.skip("the packages of the base cannot be fetched here")
    assert installed.returncode == 0, installed.stderr
    there = run(python, "-m", "pip", "list", "--format", "freeze").stdout
    packages = {line.partition("==")[0] for line in there.splitlines()}
    assert {"confluent-kafka", "msgspec", "segue-live"} <= packages
    assert packages.isdisjoint({"faust-streaming", "aiokafka", "redis", "numpy", "pandas", "scikit-learn"})
    subscriber = run(python, "-c", "import segue.subscribe", cwd=tmp_path)
    assert subscriber.returncode == 0, subscriber.stderr


def use_our_dependencies(python: Path) -> None:
    """Append the site-packages of this environment: its .pth files, the editable Segue, stay out."""
    (packages,) = python.parents[1].glob("lib/*/site-packages")
    (packages / "ours.pth").write_text(f"{Path(np.__file__).parents[1]}\n")


def test_it_brings_the_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"segue": "segue.cli:main"}
