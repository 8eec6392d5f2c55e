"""`make pictures`: take the pictures of the documents from a real run."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.campaigns.pictures.real_run import real_run
from tests.campaigns.pictures.take_demo import take_demo
from tests.campaigns.pictures.take_pictures import take_pictures
from tests.support.servers.headless_chromium import Chromium, find

FOLDER = Path(__file__).parents[3] / "docs" / "images"


def main() -> None:
    program = find()
    if program is None:
        raise SystemExit("pictures need Chromium: apt-get install chromium")
    with TemporaryDirectory(prefix="segue-pictures-") as made:
        scratch = Path(made)
        with real_run(scratch) as run, closing(Chromium(program, scratch / "chromium")) as chromium:
            for file in take_pictures(run, chromium, FOLDER):
                print(f"{file.name} {file.stat().st_size:,} bytes")
        print(take_demo(scratch, FOLDER / "demo.svg").name)


main()
