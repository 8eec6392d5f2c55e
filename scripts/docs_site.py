"""Hooks for the site of docs/; mkdocs calls these functions."""

import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

from pymdownx.slugs import slugify

_ROOT = Path(__file__).parents[1]
_LINK = re.compile(r"(?<=\]\()(?P<path>\.\./[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=\))")


def on_config(config: Any) -> Any:
    """Take the URLs from ``pyproject.toml``, and make the anchors of headings as GitHub does."""
    urls = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["urls"]
    config.repo_url = urls["Source"]
    config.site_url = urls["Documentation"]
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    return config


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Turn relative links to files outside docs/ into links to the repository on GitHub."""
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))

    def outside(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link["path"]))
        if path.startswith("docs/") or not (_ROOT / path).exists():
            return link[0]
        return f"{config.repo_url}/blob/main/{path}{link['anchor'] or ''}"

    return _LINK.sub(outside, markdown)
