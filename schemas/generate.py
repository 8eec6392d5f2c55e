"""Write the JSON Schemas and the AsyncAPI document that are made from the types.

``python -m schemas.generate`` writes them; with ``--check`` it writes nothing and fails when one is stale.
"""

import argparse
import json
import sys
from pathlib import Path

from schemas.documents.asyncapi import asyncapi
from schemas.documents.json_schemas import json_schemas

HERE = Path(__file__).parent


def documents() -> dict[Path, str]:
    """The text of every generated document, by its path relative to this folder."""
    told = {Path(f"json/{name}.schema.json"): schema for name, schema in json_schemas().items()}
    told[Path("asyncapi.json")] = asyncapi()
    return {path: json.dumps(of, indent=2, ensure_ascii=False) + "\n" for path, of in told.items()}


def stale(folder: Path) -> list[Path]:
    """The documents in ``folder`` that are not what the types say, missing and left-over ones included."""
    wanted = documents()
    found = {
        path.relative_to(folder): path.read_text(encoding="utf-8")
        for path in (*folder.glob("json/*.json"), *folder.glob("asyncapi.json"))
    }
    return sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))


def write(folder: Path) -> list[Path]:
    """Bring the documents in ``folder`` up to date; returns those that were stale."""
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
    """Run the command; 0 when all is well, 1 when ``--check`` finds a stale document."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when one is stale")
    if parser.parse_args(argv).check:
        for path in (old := stale(folder)):
            sys.stdout.write(f"stale: schemas/{path}; run python -m schemas.generate\n")
        return 1 if old else 0
    for path in write(folder):
        sys.stdout.write(f"written: schemas/{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
