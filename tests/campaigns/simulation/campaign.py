"""Many seeds, over the machine's cores."""

import multiprocessing
from collections.abc import Iterator
from functools import partial

from tests.campaigns.simulation.seed import run_seed

_CHUNK = 50


def failure_of(seed: int, plant: str = "nothing") -> str | None:
    """What a seed breaks, in words; None where every promise holds."""
    error = error_of(seed, plant)
    return None if error is None else f"{type(error).__name__}: {error}"


def error_of(seed: int, plant: str = "nothing") -> BaseException | None:
    """What a seed ends with; None where every promise holds."""
    try:
        run_seed(seed, plant)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever ended a worker is what was looked for
        return error
    return None


def run_seeds(seeds: range, processes: int, plant: str = "nothing") -> Iterator[tuple[int, str | None]]:
    """Each seed with what it breaks, in the order of the seeds."""
    # Not forked: a thread of the parent would leave its locks behind.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        work = partial(_seed_and_failure, plant=plant)
        yield from pool.imap(work, seeds, chunksize=_CHUNK)


def _seed_and_failure(seed: int, plant: str) -> tuple[int, str | None]:
    return seed, failure_of(seed, plant)
