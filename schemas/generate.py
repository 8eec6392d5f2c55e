"""Generate the JSON Schemas and the AsyncAPI document from the types.

``python -m schemas.generate`` writes them. With ``--check`` it writes nothing, and fails if a document is
stale.
"""

import argparse
import json
import sys
from pathlib import Path

from schemas.documents.asyncapi import asyncapi
from schemas.documents.json_schemas import json_schemas

HERE = Path(__file__).parent


def documents() -> dict[Path, str]:
    """Return the text of every generated document, by its path relative to this folder."""
    generated = {Path(f"json/{name}.schema.json"): schema for name, schema in json_schemas().items()}
    generated[Path("asyncapi.json")] = asyncapi()
    return {
        path: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for path, content in generated.items()
    }


def stale(folder: Path) -> list[Path]:
    """Return the documents in ``folder`` that differ from the types, are missing, or are left over."""
    wanted = documents()
    found = {
        path.relative_to(folder): path.read_text(encoding="utf-8")
        for path in (*folder.glob("json/*.json"), *folder.glob("asyncapi.json"))
    }
    return sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))


def write(folder: Path) -> list[Path]:
    """Bring the documents in ``folder`` up to date; return those that were stale."""
    wanted, changed = documents(), stale(folder)
    for path in changed:
        target = folder / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(wanted[path], encoding="utf-8")
        else:
            target.unlink()
    return changed


def main(argv: list[str] | None = None, folder: Path = HERE) -> int:
    """Run the command; return 1 if ``--check`` finds a stale document, else 0."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a document is stale")
    if parser.parse_args(argv).check:
        for path in (old := stale(folder)):
            sys.stdout.write(f"stale: schemas/{path}; run python -m schemas.generate\n")
        return 1 if old else 0
    for path in write(folder):
        sys.stdout.write(f"written: schemas/{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
