from pathlib import Path

import pytest

from schemas import generate


def test_an_empty_folder_gets_every_document(tmp_path: Path) -> None:
    assert generate.stale(tmp_path) == sorted(generate.documents())
    generate.write(tmp_path)
    assert generate.stale(tmp_path) == []
    assert generate.write(tmp_path) == []


def test_changed_missing_and_left_over_documents_are_stale(tmp_path: Path) -> None:
    generate.write(tmp_path)
    (tmp_path / "asyncapi.json").write_text("{}")
    (tmp_path / "json" / "order.schema.json").unlink()
    (tmp_path / "json" / "basket.schema.json").write_text("{}")
    stale = [Path("asyncapi.json"), Path("json/basket.schema.json"), Path("json/order.schema.json")]
    assert generate.stale(tmp_path) == stale
    assert generate.write(tmp_path) == stale
    assert generate.stale(tmp_path) == []
    assert not (tmp_path / "json" / "basket.schema.json").exists()


def test_the_command_says_what_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"], tmp_path) == 1
    assert "stale: schemas/asyncapi.json; run python -m schemas.generate" in capsys.readouterr().out
    assert generate.main([], tmp_path) == 0
    assert "written: schemas/asyncapi.json" in capsys.readouterr().out
    assert generate.main(["--check"], tmp_path) == 0
    assert capsys.readouterr().out == ""
