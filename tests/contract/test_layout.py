"""Who may import whom (DESIGN's layout), read from the source: so it covers imports that never run."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "trainer", "streamer", "segue")

MAY_IMPORT = {
    "schemas": {"schemas"},
    "trainer": {"trainer", "schemas"},
    "streamer": {"streamer", "schemas"},
}

PURE = (
    "batch",
    "bootstrap",
    "changes",
    "compare",
    "decisions",
    "erasures",
    "healing",
    "lane",
    "lane_saves",
    "lane_snapshot",
    "live",
    "log_reading",
    "memory",
    "neighbours",
    "outputs",
    "place",
    "place_marks",
    "process",
    "profile",
    "rebuild",
    "refold",
    "rekeying",
    "replay",
    "scoring",
    "similar",
    "start",
    "state",
    "takeover",
    "users",
)
EDGES = {"confluent_kafka", "aiokafka", "redis", "faust", "mode"}
TRAINING = {"pandas", "sklearn", "joblib", "scipy", "pyarrow", "duckdb"}


def imports(file: Path) -> Iterator[str]:
    """The modules that a file imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide who is imported"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def first(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_only_what_they_may(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    ours = {*PACKAGES, "sql", "tests", "benchmarks"}
    for file in files:
        foreign = {first(name) for name in imports(file)} & ours - MAY_IMPORT[package]
        assert not foreign, f"{file.relative_to(ROOT)} imports {foreign}"


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_reach_no_server_even_through_others(module: str) -> None:
    seen: set[str] = set()
    todo = [f"streamer.{module}"]
    while todo:
        name = todo.pop()
        file = ROOT / Path(*name.split(".")).with_suffix(".py")
        if name in seen or not file.exists():
            continue
        seen.add(name)
        found = set(imports(file))
        edges = {first(imported) for imported in found} & EDGES
        assert not edges, f"{name}, which streamer.{module} imports, imports {edges}"
        todo += [imported for imported in found if first(imported) in {"streamer", "schemas"}]
    assert f"streamer.{module}" in seen


def test_the_trainer_reaches_no_server_by_itself() -> None:
    """Who publishes brings the topic of releases; Kafka is written once, in ``streamer``."""
    for file in (ROOT / "trainer").rglob("*.py"):
        assert not {first(name) for name in imports(file)} & EDGES, file.relative_to(ROOT)


def test_a_worker_imports_no_training_library() -> None:
    """Not even through a library: asked of a process that has imported all that a worker runs."""
    code = (
        "import sys, segue.cli.worker, streamer.worker.worker_app, streamer.kafka.kafka_log, streamer.redis.redis_store, streamer.worker.lane_threads;"
        f"print(sorted({TRAINING!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_releases_are_listed_and_rolled_back_without_a_training_library() -> None:
    """In an emergency the worker's image is enough."""
    code = (
        "import sys, segue.cli.releases, segue.cli.rollback, segue.show.impact_text, segue.releases.release_topic, "
        "segue.show.releases_text, trainer.publish.rollback_target;"
        f"print(sorted({TRAINING!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_how_servers_are_started_is_known_in_one_place() -> None:
    """Only ``segue.services`` knows jars, Maven and redis-server."""
    for package in ("schemas", "trainer", "streamer"):
        for file in (ROOT / package).rglob("*.py"):
            assert "subprocess" not in set(imports(file)), file


def test_lanes_decode_with_decoders_that_are_there_before_their_threads() -> None:
    """msgspec builds its plan of a type at first use, and crashes if two threads do it at once."""
    for file in (ROOT / "streamer").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "msgspec.json.decode":
                types = [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "type"]
                assert types in ([], ["str"], ["dict[str, int]"]), f"{file.name}:{node.lineno}"
