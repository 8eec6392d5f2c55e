"""`python -m tests.campaigns.simulation`: its line about a broken promise shows the same again."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_that_a_failure_names_fails_with_the_same_words() -> None:
    options = ("--seeds", "20", "--processes", "1", "--plant", "deciding-while-healing")
    campaign = run("-m", "tests.campaigns.simulation", *options)
    assert (campaign.returncode, campaign.stdout) == (1, "")
    told, _, command = campaign.stderr.rpartition("step by step: ")
    # On a slow machine lines of progress come first.
    found = re.search(r"^seed \d+: BrokenPromise", told, re.MULTILINE)
    assert found is not None, told
    failure = told[found.start() :]

    program, *arguments = shlex.split(command)
    assert program == "python"
    again = run(*arguments)
    assert again.returncode == 1
    assert again.stderr.strip() == failure.strip()
    steps = again.stdout.splitlines()
    assert [line.split()[0] for line in steps[:3]] == ["1", "2", "3"]


def test_a_campaign_that_finds_nothing_says_how_many_seeds_it_ran() -> None:
    done = run("-m", "tests.campaigns.simulation", "--seeds", "3", "--first", "500", "--processes", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 seeds in ")
    assert done.stdout.endswith(": every promise holds\n")
