from __future__ import annotations

from benchmarks.rounds.bench_tables import cpu_table, memory_table
from benchmarks.rounds.known_ways import SEGUE, WAYS
from benchmarks.rounds.measure_run import Figures
from benchmarks.rounds.take_rounds import Taken
from benchmarks.stage.read_results import Results
from benchmarks.stage.server_account import Account


def _taken(*way_s: float, segments: dict[str, int]) -> Taken:
    runs = [Figures(Account(5e-4, each, 4e-5, 6e-5, 3.0), 100.0) for each in way_s]
    return Taken(runs, Results(segments, 7), 1_000, 640.0)


def test_a_ratio_is_the_median_of_the_ratios_within_the_rounds() -> None:
    # The machine was three times as slow in the second round, for both ways.
    ours = _taken(1e-4, 3e-4, 1e-4, segments={"1": 0})
    theirs = _taken(2e-4, 6e-4, 4e-4, segments={"1": 0})
    lines = cpu_table((WAYS[0], WAYS[2]), {WAYS[0].name: theirs, SEGUE: ours})
    # The figures are medians: 400 and 40 + 60 for the servers. The ratios are 2, 2 and 4; and 1.5, 1.75, 2.5.
    assert lines[2].split()[-7:] == ["400", "40", "60", "500", "500", "2.00", "1.75"]
    assert lines[3].split()[-7:] == ["100", "40", "60", "200", "500", "1.00", "1.00"]


def test_tables_fit_into_80_columns_and_name_who_was_not_run_and_who_differs() -> None:
    taken = {way.name: _taken(0.0234, segments={"1": 0, "2": 1}) for way in WAYS}
    taken["Quix Streams"] = Taken(failed="it ended")
    taken["Bytewax, batched"] = _taken(1e-4, segments={"1": 0, "2": 2})
    lines = [*cpu_table(WAYS, taken), *memory_table(WAYS, taken)]
    assert max(map(len, lines)) <= 80
    assert sum("not run: it ended" in line for line in lines) == 1
    assert sum("1 of 2 users differ from Segue" in line for line in lines) == 1
    assert sum("all 2 users as Segue" in line for line in lines) == len(WAYS) - 3
