"""The pages say what is there: links, commands, options, tests, messages and metrics."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.exceptions
import typer.main
from typer.core import TyperGroup

from segue.cli.commands import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
PACKAGES = ("schemas", "trainer", "streamer", "segue")
RUNBOOK = [DOCS / "operations.md", DOCS / "rebuilding.md"]

GROUP = typer.main.get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = GROUP.commands

BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


SHELL_INPUT = re.compile(
    r"\|\s*(sudo\s+)?(xargs|sh|bash|zsh|eval|parallel|redis-cli|while\s+read)\b|\$\([^)]*--scan"
)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_of(page: Path) -> list[str]:
    """Each line of a block of code, and each span of code."""
    return blocks_of(page) + re.findall(r"`([^`]+)`", BLOCK.sub("", text_of(page)))


def blocks_of(page: Path) -> list[str]:
    """Each line of a block of code."""
    text = text_of(page)
    lines = [each for block in BLOCK.findall(text) for line in block.splitlines() for each in unnested(line)]
    return lines + re.findall(r"^ {4}(.+)$", BLOCK.sub("", text), re.MULTILINE)


def unnested(line: str) -> list[str]:
    """A line with a placeholder for each command in quotes, and these commands."""
    inner = re.compile(r'"\$\(([^)]*)\)"')
    return [inner.sub("…", line), *inner.findall(line)]


def links_of(page: Path) -> list[str]:
    """The relative links of a page, images included."""
    text = BLOCK.sub("", text_of(page))
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    return [link for link in links if not re.match(r"[a-z]+:", link)]


def anchors_of(page: Path) -> set[str]:
    """The headings of a page as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@each_page
def test_no_page_has_two_versions_of_a_line(page: Path) -> None:
    """A merge that was not ended leaves its marks, which a page shows as text."""
    assert re.findall(r"^(?:<{7}|={7}|>{7})(?: .*)?$", text_of(page), re.MULTILINE) == []


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links_of(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def test_every_page_is_in_the_index() -> None:
    indexes = [DOCS / "README.md", DOCS / "decisions" / "README.md"]
    named = {(index.parent / link).resolve() for index in indexes for link in links_of(index)}
    assert [page for page in DOCS.rglob("*.md") if page not in named and page not in indexes] == []


def invocations(page: Path) -> Iterator[tuple[str, str]]:
    """Each command of ours in a page's code, and what follows it."""
    for code in (each for line in code_of(page) for each in unnested(line)):
        yield from re.findall(r"(?:^|[\s(])segue ([a-z][a-z-]*)([^|]*)", code)


@each_page
def test_every_command_is_there(page: Path) -> None:
    assert {name for name, _ in invocations(page)} - COMMANDS.keys() == set()


@each_page
def test_every_option_is_its_commands(page: Path) -> None:
    for name, rest in invocations(page):
        if name in COMMANDS:
            options = options_of(name, rest)
            assert set(re.findall(r"(?<!\S)--[a-z][a-z-]*", rest)) <= {*options, "--help"}, (name, rest)


def options_of(name: str, rest: str) -> set[str]:
    """The options of a command; of a group's, where its name follows."""
    found = COMMANDS[name]
    found = getattr(found, "commands", {}).get(rest.split(maxsplit=1)[0] if rest.split() else "", found)
    return {option for parameter in found.params for option in parameter.opts}


COMMAND_LINE = re.compile(r"(?:^|\$\(|(?:&&|\||;) |^[A-Z_]+='[^']*' )segue ([a-z].*?)(?= [|&#]| +#|\)|;|$)")


@each_page
def test_every_command_line_of_a_block_can_be_parsed(page: Path) -> None:
    """Its options with their values, its arguments, and all that is required."""
    for line in blocks_of(page):
        parse(line)


def test_command_lines_of_blocks_are_found() -> None:
    assert sum(parse(line) for page in PAGES for line in blocks_of(page)) > 40
    assert parse('release=$(segue train --warehouse x | tail -n 1) && segue publish "$release"') == 2
    for wrong in (
        "segue train --k 3",
        "x | segue ingest a --rate fast",
        "segue dead-letters retry --al",
        "segue publish   # which?",
    ):
        with pytest.raises((KeyError, typer.exceptions.TyperException)):
            parse(wrong)


def parse(line: str) -> int:
    """Parses each command of ours in a line as the program does; gives how many there are.

    Raises:
        TyperException: an option is unknown, lacks its value, or is required; an argument is too many.
        KeyError: there is no such command.
    """
    found = COMMAND_LINE.findall(line)
    for name, *rest in map(shlex.split, found):
        command, words = COMMANDS[name], rest
        while hasattr(command, "commands"):
            command, words = command.commands[words[0]], words[1:]
        command.make_context(name, words)
    return len(found)


def test_make_makes_all_that_the_pages_ask_it_for() -> None:
    there = set(re.findall(r"^([a-z-]+):.* ## ", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {
        name for page in PAGES for code in code_of(page) for name in re.findall(r"\bmake ([a-z-]+)", code)
    }
    assert named - there == set()


def test_pip_is_asked_for_what_a_clone_has() -> None:
    """No package index has Segue, so a sentence that names one would send people to a stranger's package."""
    extras = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["optional-dependencies"].keys()
    files = [*PAGES, *(file for name in PACKAGES for file in (ROOT / name).rglob("*.py"))]
    asked = {found for file in files for found in re.findall(r"pip install '([^']*)'", text_of(file))}
    assert "." in {found.partition("[")[0] for found in asked}
    for found in asked:
        place, _, named = found.rstrip("]").partition("[")
        assert place == ".", found
        for extra in filter(None, named.split(",")):
            assert extra in extras or "{" in extra, found


def test_every_test_that_shows_a_guarantee_is_there() -> None:
    """A file is named, and after a colon its tests; without a colon the file as a whole."""
    text = text_of(DOCS / "guarantees.md")
    assert [file for file in re.findall(r"`(tests/[\w/]+\.py)`", text) if not (ROOT / file).is_file()] == []
    named = {
        (file, test)
        for file, tests in re.findall(r"`(tests/[\w/]+\.py)`:((?:\s+`test_\w+`,?)+)", text)
        for test in re.findall(r"\w+", tests)
    }
    assert len(named) > 150
    assert {test for _, test in named} == set(re.findall(r"`(test_\w+)`", text))
    for file, test in named:
        assert test in functions_in(ROOT / file), f"{file}::{test}"


@each_page
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    files = list((ROOT / "tests").rglob("*.py"))
    there = {name for file in files for name in functions_in(file)} | {file.stem for file in files}
    named = {name for code in code_of(page) for name in re.findall(r"\btest_\w+", code)}
    assert {name for name in named if not name.endswith("_")} - there == set()


@cache
def functions_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@cache
def told() -> frozenset[str]:
    """Every text of the code but docstrings; "…" stands for what a message fills in."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return frozenset(text for file in files for text in _texts(ast.parse(file.read_text(encoding="utf-8"))))


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        yield "".join(map(str, parts))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def is_told(message: str) -> bool:
    pattern = re.compile(".*".join(map(re.escape, message.split("…"))), re.DOTALL)
    return any(pattern.match(text) for text in told())


def test_every_reason_and_log_line_of_the_runbook_is_told() -> None:
    messages = [message for cell in first_cells("reason", "it says", "log") for message in cell]
    assert len(messages) > 25
    assert [message for message in messages if not is_told(message)] == []


def test_a_message_that_nobody_tells_is_found() -> None:
    assert is_told("the place in Redis is not the one that this lane wrote last")
    assert not is_told("the place in Redis is not the one that that lane wrote last")


def first_cells(*headings: str) -> Iterator[list[str]]:
    """The code in the first column of the runbook's tables with such a heading, row by row."""
    inside = False
    for line in "\n".join(map(text_of, RUNBOOK)).splitlines():
        first = line.strip("|").partition("|")[0].strip()
        if not line.startswith("|"):
            inside = False
        elif first in headings:
            inside = True
        elif inside:
            yield re.findall(r"`([^`]+)`", first)


def test_every_metric_header_and_event_of_the_runbook_is_there() -> None:
    code = "\n".join(line for page in RUNBOOK for line in code_of(page))
    names = {
        name.removesuffix("_total").removesuffix("_info") for name in re.findall(r"\bsegue_[a-z_]+", code)
    }
    events = set(re.findall(r"^(?:group|lanes?|worker|web|topics)\.[a-z_]+$", code, re.MULTILINE))
    assert len(names) > 8
    assert len(events) > 5
    assert (names | events) - told() == set()


def test_no_page_pipes_keys_or_lines_to_a_shell() -> None:
    """A user id may hold a space, a quote or a line end: unquoted, a shell would split the key."""
    files = [
        *PAGES,
        *(path for path in (ROOT / "deploy").rglob("*") if path.is_file()),
        *ROOT.glob("docker-compose*.yml"),
    ]
    assert [str(file) for file in files if SHELL_INPUT.search(text_of(file))] == []
    assert SHELL_INPUT.search("redis-cli --scan --pattern 'segue:*' | xargs -r -n 1000 redis-cli unlink")
