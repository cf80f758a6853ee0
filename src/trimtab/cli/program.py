"""The program `trimtab`: its commands, and how it ends."""

import os
import sys
from collections.abc import Sequence

import click

from trimtab import __version__
from trimtab.cli.lazy_group import LazyGroup

#: What a process that died of SIGPIPE or SIGINT is known by.
BROKEN_PIPE, INTERRUPTED = 141, 130
#: `EX_SOFTWARE`: a defect of the program itself.
DEFECT = 70

#: By section of `--help`; each command is `module:attribute` and its line there.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Everything at once": {
        "up": ("trimtab.cli.up:up", "Run the loop, the prediction plane and the page on this machine."),
        "down": ("trimtab.cli.up:down", "Stop what `up --detach` or `server --detach` started."),
        "demo": ("trimtab.cli.demo:demo", "Play a year of real flights through the whole loop."),
        "new": ("trimtab.cli.new:new", "Make a project to start from."),
    },
    "The loop": {
        "ingest": ("trimtab.cli.data_verb:ingest", "Read a source's files into a snapshot."),
        "validate": (
            "trimtab.cli.data_verb:validate",
            "Hold spans against the schema; quarantine the bad ones.",
        ),
        "featurize": ("trimtab.cli.data_verb:featurize", "Compute features, point in time correct."),
        "train": ("trimtab.cli.model_verb:train", "Fit a model and record how."),
        "evaluate": (
            "trimtab.cli.model_verb:evaluate",
            "Score the newest model against champion and baseline.",
        ),
        "register": ("trimtab.cli.model_verb:register", "Compile, prove equal on real rows, and sign."),
        "release": ("trimtab.cli.model_verb:release", "Move traffic to a version step by step, or back."),
        "serve": ("trimtab.cli.plane:serve", "Answer predictions over HTTP."),
        "monitor": ("trimtab.cli.watch_verb:monitor", "Seal what was served into windows and judge them."),
        "trigger": ("trimtab.cli.watch_verb:trigger", "Weigh the evidence; order a retrain or hold."),
    },
    "Looking": {
        "server": ("trimtab.cli.plane:server", "Show the page and the API, and keep the loop turning."),
        "status": ("trimtab.cli.status:status", "Where everything stands."),
        "models": ("trimtab.cli.models:models", "Versions, and what became of each."),
        "runs": ("trimtab.cli.runs:runs", "Runs: list, filter, compare, chart."),
        "sync": ("trimtab.cli.sync:sync", "Send what runs kept here while their server was away."),
        "data": ("trimtab.cli.data:data", "Versions of data: log, diff, checkout, pointer."),
        "lineage": ("trimtab.cli.lineage:lineage", "What a thing came of, and what it led to."),
        "fsck": ("trimtab.cli.fsck:fsck", "Prove that the store is whole."),
    },
    "The store": {
        "gc": ("trimtab.cli.gc:gc", "Free the bytes that nothing needs."),
        "backup": ("trimtab.cli.backup:backup", "Copy the store elsewhere while it is in use."),
        "restore": ("trimtab.cli.backup:restore", "Bring a backed-up store back, verified."),
        "import": ("trimtab.cli.exchange:import_", "Take over an MLflow store, counted and verified."),
        "export": ("trimtab.cli.exchange:export", "Give runs and models back to an MLflow store."),
    },
    "Who gets in": {
        "token": ("trimtab.cli.token:token", "Create, list and revoke tokens."),
    },
}

EPILOG = """\b
Example:
  trimtab up data.csv --target late
  trimtab status
"""


@click.group(
    cls=LazyGroup, sections=COMMANDS, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="trimtab", message="%(prog)s %(version)s")
def program() -> None:
    """Keep machine-learning models right in production: one loop that measures, judges and acts."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0 done, 1 a Check failed or the thing was refused, 2 wrong usage, 70 a defect of
        Trimtab, 78 refused configuration, 130 interrupted.
    """
    try:
        status = program.main(arguments, prog_name="trimtab", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except (KeyboardInterrupt, click.exceptions.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone: the interpreter's own flush at exit must not find the pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except click.ClickException as error:
        return _usage(error)
    except Exception as error:
        return _failure(error)


def _usage(error: click.ClickException) -> int:
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = f" (see `{context.command_path} --help`)" if context else ""
    _complain(f"{error.format_message().rstrip('.')}{where}")
    return 2 if isinstance(error, click.UsageError) else error.exit_code


def _failure(error: Exception) -> int:
    from trimtab.atoms.error import TrimtabError

    if os.environ.get("TRIMTAB_DEBUG"):
        import traceback

        traceback.print_exc()
    if isinstance(error, TrimtabError):
        _complain(str(error))
        return error.exit_status
    advice = "this is a defect of Trimtab; run again with TRIMTAB_DEBUG=1 for the traceback"
    _complain(f"{type(error).__name__}: {error}: {advice}")
    return DEFECT


def _complain(message: str) -> None:
    line = f"trimtab: {' '.join(message.split())}"
    plain = bool(os.environ.get("NO_COLOR"))
    click.secho(line, err=True, fg=None if plain else "red")
