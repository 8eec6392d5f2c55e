"""The site of docs/ has every page, and its settings agree with the project's."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text())


def pages(nav: Any) -> list[str]:
    """The pages of a navigation, however deep."""
    if isinstance(nav, str):
        return [nav]
    children = nav.values() if isinstance(nav, dict) else nav
    return [page for child in children for page in pages(child)]


def test_the_navigation_has_every_page_once() -> None:
    docs = ROOT / "docs"
    assert sorted(pages(SITE["nav"])) == sorted(str(page.relative_to(docs)) for page in docs.rglob("*.md"))


def test_all_addresses_are_of_one_repository() -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    owner, name = urls["Source"].removeprefix("https://github.com/").split("/")
    assert urls["Documentation"] == f"https://{owner}.github.io/{name}/"
    assert {urls["Changelog"], urls["Issues"]} == {
        f"{urls['Source']}/blob/main/CHANGELOG.md",
        f"{urls['Source']}/issues",
    }
