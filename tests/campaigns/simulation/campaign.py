"""Run many seeds on all cores of the machine."""

import multiprocessing
from collections.abc import Iterator
from functools import partial

from tests.campaigns.simulation.seed import run_seed

_CHUNK = 50


def failure_of(seed: int, plant: str = "nothing") -> str | None:
    """Describe the promise that a seed breaks; None if every promise holds."""
    error = error_of(seed, plant)
    return None if error is None else f"{type(error).__name__}: {error}"


def error_of(seed: int, plant: str = "nothing") -> BaseException | None:
    """Return the error that ends a seed; None if every promise holds."""
    try:
        run_seed(seed, plant)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - the simulation looks for any error that ends a worker
        return error
    return None


def run_seeds(seeds: range, processes: int, plant: str = "nothing") -> Iterator[tuple[int, str | None]]:
    """Yield each seed with its failure or None, in the order of the seeds."""
    # Spawn, not fork: a fork would copy locks that a thread of the parent holds.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        work = partial(_seed_and_failure, plant=plant)
        yield from pool.imap(work, seeds, chunksize=_CHUNK)


def _seed_and_failure(seed: int, plant: str) -> tuple[int, str | None]:
    return seed, failure_of(seed, plant)
