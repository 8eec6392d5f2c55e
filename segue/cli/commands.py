"""The program with all its commands, in the order of `segue --help`."""

from importlib.metadata import version
from typing import Annotated

import typer

from segue.cli.bootstrap import bootstrap
from segue.cli.console import console
from segue.cli.dead_letters import GROUP as DEAD_LETTERS
from segue.cli.dead_letters import list_, retry
from segue.cli.demo import demo
from segue.cli.doctor import doctor
from segue.cli.flow import flow
from segue.cli.forget import forget
from segue.cli.ingest import ingest
from segue.cli.init import init
from segue.cli.inspect import inspect
from segue.cli.join import join
from segue.cli.plain_help import PlainGroup
from segue.cli.predict import predict
from segue.cli.publish import publish
from segue.cli.rebuild import rebuild
from segue.cli.releases import releases
from segue.cli.replay import replay
from segue.cli.rollback import rollback
from segue.cli.schema import schema
from segue.cli.sink import sink
from segue.cli.tail import tail
from segue.cli.train import train
from segue.cli.triggers import GROUP as TRIGGERS
from segue.cli.triggers import check as check_triggers
from segue.cli.triggers import report as report_triggers
from segue.cli.triggers import retry as retry_triggers
from segue.cli.triggers import run as run_triggers
from segue.cli.up import up
from segue.cli.user import user
from segue.cli.verify import verify
from segue.cli.worker import worker
from segue.show.terminal import write

COMMANDS = (
    demo,
    up,
    inspect,
    init,
    train,
    publish,
    releases,
    rollback,
    bootstrap,
    worker,
    schema,
    ingest,
    join,
    tail,
    sink,
    run_triggers,
    retry_triggers,
    check_triggers,
    report_triggers,
    flow,
    console,
    user,
    predict,
    forget,
    list_,
    retry,
    verify,
    replay,
    rebuild,
    doctor,
)

app = typer.Typer(
    name="segue",
    cls=PlainGroup,
    help="Keeps every customer's segment right, live.\n\n"
    "A trainer fits the segments over the warehouse. Workers read events from Kafka, keep each user's"
    " segment right, and publish every change.",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
_dead_letters = typer.Typer(
    cls=PlainGroup,
    help="Look at the inputs that could not be applied, and send them again.",
    rich_markup_mode="rich",
    no_args_is_help=True,
)
app.add_typer(_dead_letters, name=DEAD_LETTERS)
_triggers = typer.Typer(
    cls=PlainGroup,
    help="Send webhooks for users who enter, leave or move between segments.",
    rich_markup_mode="rich",
    no_args_is_help=True,
)
app.add_typer(_triggers, name=TRIGGERS)
_groups = {"": app, DEAD_LETTERS: _dead_letters, TRIGGERS: _triggers}
for command in COMMANDS:
    command.join(_groups[command.group])


def _version(wanted: bool) -> None:
    if wanted:
        write(f"segue {version('segue-live')}")
        raise typer.Exit


@app.callback()
def segue(
    _version: Annotated[
        bool,
        typer.Option("--version", metavar="", help="the version", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Declare the options of the program itself."""
