"""Who may import whom, by folder: read from the source, so that an import that never runs counts too."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAY_IMPORT = {
    "schemas": {"schemas"},
    "trainer": {"trainer", "schemas"},
    "streamer": {"streamer", "schemas"},
    "segue": {"segue", "streamer", "trainer", "schemas"},
}

# The folders of each package, and the modules beside them: each imports only what stands before it.
ORDER = {
    "schemas": (
        "errors extras counted printable times days topics partitioner input_events event_fields features "
        "release inputs outputs documents generate"
    ),
    "trainer": (
        "steps controls names fit release "
        "warehouse.tables warehouse.kinds warehouse.queries warehouse.checks warehouse "
        "proposal.written proposal.looks proposal.roles proposal publish report.charts report train"
    ),
    "streamer": (
        "user interfaces segment status place in_memory batch takeover lane refill "
        "kafka redis releases drift worker"
    ),
    "segue": (
        "interruption standard_streams config show connect subscribe events releases refill look sink "
        "proposals lanes triggers.file triggers triggers.sending triggers.service triggers.report rehearsal "
        "join flow services.process services.programs services.local services "
        "doctor prepare_worker build_worker processes demo up "
        "console.moves console.facts console.viewers console.shown console.actions console.access "
        "console.web console cli __main__"
    ),
}

# No module of these folders reaches a server, not even through another.
PURE = ("user", "interfaces", "segment", "place", "batch", "takeover", "lane", "refill")
EDGES = {"confluent_kafka", "aiokafka", "redis", "faust", "mode"}
OF_WORKERS = {"aiokafka", "faust", "mode", "prometheus_client", "redis", "uvloop"}
TRAINING = {"pandas", "sklearn", "joblib", "scipy", "pyarrow", "duckdb"}

MOST_FILES = 12
# One file for each command, and one for each section of the report.
LISTS = {"segue/cli", "trainer/report"}


@cache
def imports(file: Path) -> frozenset[str]:
    """The modules that a file imports, also inside functions, and the names that it takes from them."""
    return frozenset(_imports(file))


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide who is imported"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files_of(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def first(module: str) -> str:
    return module.partition(".")[0]


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def file_of(module: str) -> Path | None:
    """The file of a module; None for a name inside one, and for what is not ours."""
    path = ROOT.joinpath(*module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.exists()), None)


def rank(package: str, module: str) -> int:
    """The place in the order of the folder that a module lies in."""
    folders = ORDER[package].split()
    parts = module.split(".")[1:]
    for length in range(len(parts), 0, -1):
        folder = ".".join(parts[:length])
        if folder in folders:
            return folders.index(folder)
    raise AssertionError(f"{module} is in no folder of {package}")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_only_what_they_may(package: str) -> None:
    ours = {*MAY_IMPORT, "sql", "tests", "benchmarks"}
    files = files_of(package)
    assert files
    for file in files:
        foreign = {first(name) for name in imports(file)} & ours - MAY_IMPORT[package]
        assert not foreign, f"{file.relative_to(ROOT)} imports {foreign}"


@pytest.mark.parametrize("package", ORDER)
def test_no_import_runs_back_up(package: str) -> None:
    for file in files_of(package):
        module = module_of(file)
        if module == package:
            continue
        mine = rank(package, module)
        for name in imports(file):
            if first(name) == package and name != package and file_of(name) is not None:
                assert rank(package, name) <= mine, f"{module} imports {name}, which comes after it"


def test_a_folder_holds_few_files() -> None:
    folders = Counter(str(file.parent.relative_to(ROOT)) for package in ORDER for file in files_of(package))
    # `__init__.py` is not counted.
    too_full = {
        folder: count - 1
        for folder, count in folders.items()
        if count - 1 > MOST_FILES and folder not in LISTS
    }
    assert not too_full


def test_unit_tests_mirror_the_tree() -> None:
    unit = ROOT / "tests" / "unit"
    folders = {file.parent.relative_to(unit) for package in ORDER for file in (unit / package).rglob("*.py")}
    assert len(folders) > 20
    assert [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").exists()] == []


def test_a_files_name_is_found_once() -> None:
    """But for commands, which are called what they are typed."""
    files = [file for package in ORDER for file in files_of(package) if file.parent.name != "cli"]
    names = Counter(file.name for file in files if not file.name.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("folder", PURE)
def test_pure_folders_reach_no_server_even_through_others(folder: str) -> None:
    todo = [module_of(file) for file in files_of(f"streamer/{folder}")]
    assert todo
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        file = file_of(name)
        if name in seen or file is None:
            continue
        seen.add(name)
        found = imports(file)
        edges = {first(imported) for imported in found} & EDGES
        assert not edges, f"{name}, which streamer.{folder} reaches, imports {edges}"
        todo += [imported for imported in found if first(imported) in {"streamer", "schemas"}]


def test_the_trainer_reaches_no_server_by_itself() -> None:
    """Who publishes brings the topic of releases; Kafka is written once, in ``streamer``."""
    for file in (ROOT / "trainer").rglob("*.py"):
        assert not {first(name) for name in imports(file)} & EDGES, file.relative_to(ROOT)


def test_a_worker_imports_no_training_library() -> None:
    """Not even through a library: asked of a process that has imported all that a worker runs."""
    code = (
        "import sys, segue.cli.worker, streamer.worker.worker_app, streamer.kafka.kafka_log, "
        "streamer.redis.redis_store, streamer.worker.lane_threads;"
        f"print(sorted({TRAINING!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


BASE_ONLY = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
{code}
"""


def without(missing: set[str], code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process in which these modules are not installed."""
    program = BASE_ONLY.format(missing=missing, code=code)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_a_subscriber_needs_four_packages() -> None:
    """Not even the command's: neither Faust nor Redis nor the trainer nor a terminal."""
    heavy = OF_WORKERS | TRAINING | {"numpy", "jinja2", "sqlglot", "typer", "rich", "pydantic", "orjson"}
    done = without(heavy, "import segue.subscribe; print(segue.subscribe.changes.__name__)")
    assert (done.stdout, done.stderr) == ("changes\n", "")


def test_a_command_that_needs_an_extra_says_which() -> None:
    code = "from segue.cli.main import run; sys.exit(run({arguments!r}))"
    for arguments, extra in ((["worker"], "worker"), (["user", "7"], "worker"), (["demo"], "trainer")):
        done = without(OF_WORKERS | TRAINING, code.format(arguments=arguments))
        assert done.returncode == 10, done.stderr
        assert done.stderr.startswith("Error: this command needs ")
        assert done.stderr.endswith(f"-m pip install '.[{extra}]'\n")
    done = without({"fastapi"}, code.format(arguments=["console"]))
    assert done.returncode == 10
    assert done.stderr.endswith("-m pip install '.[console]'\n")
    assert without(OF_WORKERS | TRAINING, code.format(arguments=["tail", "--help"])).returncode == 0


def test_releases_are_listed_and_rolled_back_without_a_training_library() -> None:
    """In an emergency the worker's image is enough."""
    code = (
        "import sys, segue.cli.releases, segue.cli.rollback, segue.show.impact_text, "
        "segue.releases.release_topic, "
        "segue.show.releases_text, trainer.publish.rollback_target;"
        f"print(sorted({TRAINING!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_triggers_run_without_a_training_library() -> None:
    """Only their report needs one."""
    code = (
        "import sys, segue.cli.triggers, segue.triggers.trigger_lane, segue.triggers.policy, "
        "segue.triggers.report.read_assignments;"
        f"print(sorted({TRAINING | {'numpy'}!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_rows_are_joined_without_a_training_library() -> None:
    code = (
        "import sys, segue.cli.join, segue.join.run_join;"
        f"print(sorted({OF_WORKERS | TRAINING | {'numpy'}!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_console_runs_without_a_training_library() -> None:
    """The worker's image has it."""
    code = (
        "import sys, segue.cli.console, segue.console.run_console;"
        f"print(sorted({TRAINING | {'numpy'}!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_how_servers_are_started_is_known_in_one_place() -> None:
    """Only ``segue.services`` knows jars, Maven and redis-server."""
    for package in ("schemas", "trainer", "streamer"):
        for file in (ROOT / package).rglob("*.py"):
            assert "subprocess" not in set(imports(file)), file


def test_lanes_decode_with_decoders_that_are_there_before_their_threads() -> None:
    """msgspec learns a type at its first use; two threads that do this at once crash the process."""
    for file in (ROOT / "streamer").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "msgspec.json.decode":
                types = [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "type"]
                assert types in ([], ["str"], ["dict[str, int]"]), f"{file.name}:{node.lineno}"
