from __future__ import annotations

from pathlib import Path

from benchmarks.shop import make_shop
from trainer.warehouse import open_warehouse


def test_the_same_shop_again_and_every_row_of_it_a_fact(tmp_path: Path) -> None:
    first, second = make_shop(300, tmp_path / "a"), make_shop(300, tmp_path / "b")

    assert [path.read_bytes() for path in sorted(first.iterdir())] == [
        path.read_bytes() for path in sorted(second.iterdir())
    ]
    with open_warehouse(first) as warehouse:
        counts = warehouse.counts()
        assert (counts.users, counts.signups, len(warehouse.rejected())) == (300, 300, 0)
        # thelook's 20,000 users have 24,923 orders of 36,313 items.
        assert 1.0 < counts.orders / 300 < 1.5
        assert 1.2 < counts.items / counts.orders < 1.7
