"""`make pictures`: take the pictures of the documents from a real run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.campaigns.pictures.real_run import real_run
from tests.campaigns.pictures.take_pictures import take_pictures
from tests.support.servers.headless_chromium import Chromium, find

FOLDER = Path(__file__).parents[3] / "docs" / "images"


def main() -> None:
    program = find()
    if program is None:
        raise SystemExit("pictures need Chromium: apt-get install chromium")
    with TemporaryDirectory(prefix="segue-pictures-") as scratch, real_run(Path(scratch)) as run:
        chromium = Chromium(program, Path(scratch) / "chromium")
        try:
            for file in take_pictures(run, chromium, FOLDER):
                print(f"{file.name} {file.stat().st_size:,} bytes")
        finally:
            chromium.close()


main()
