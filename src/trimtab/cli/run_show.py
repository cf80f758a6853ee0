"""`trimtab runs show`: all about one run."""

from collections.abc import Sequence
from time import time
from typing import TYPE_CHECKING

import click

from trimtab.assembly.recording.process_tag import LEFT, PROCESS_TAG, ended_ms, is_left
from trimtab.atoms.run import COMMIT_TAG, NOTE_TAG, SOURCE_TAG, LoggedFile, Run
from trimtab.cli.line_chart import sparkline
from trimtab.cli.option import as_json, example
from trimtab.cli.run_option import reading_runs
from trimtab.cli.run_source import RunsSource, experiment_names, named_run, run_json
from trimtab.cli.screen import coloured, minute, plain, print_json, screen, table

if TYPE_CHECKING:
    from rich.console import Console

#: Characters of a metric's line.
_LINE = 24
#: Points that a metric's line is made of.
_POINTS = 400
#: Tags that are told by name, or that are a client's own book-keeping.
_TOLD = {NOTE_TAG, COMMIT_TAG, SOURCE_TAG, PROCESS_TAG, "mlflow.runName", "mlflow.log-model.history"}
#: Files that are listed.
_FILES = 40


@click.command(epilog=example("trimtab runs show brave-otter-12", "trimtab runs show 0198c1a2 --json"))
@click.argument("run")
@reading_runs
@as_json
def show(source: RunsSource, run: str, as_json: bool) -> None:
    """Show all about RUN: an id, the beginning of one, or a name."""
    found = named_run(source, run)
    names = experiment_names(source.experiments())
    files = source.files(found.head.id)
    if as_json:
        listed = [{"path": file.path, "size_bytes": file.size_bytes, "at_us": file.at_us} for file in files]
        print_json(run_json(found, names) | {"files": listed})
        return
    paper = screen()
    _tell_head(paper, found, names.get(found.head.experiment, found.head.experiment))
    _tell_metrics(paper, source, found)
    _tell_pairs(paper, "parameters", found.parameters)
    _tell_data(paper, found)
    _tell_files(paper, files)
    _tell_pairs(paper, "tags", {name: value for name, value in found.tags.items() if name not in _TOLD})


def _tell_head(paper: "Console", run: Run, experiment: str) -> None:
    from trimtab.views.elapsed import elapsed, moment

    head = run.head
    deleted = "  [red]deleted[/]" if head.deleted else ""
    title = f"[bold]{plain(run.name or head.id)}[/]"
    paper.print(f"{title}  {coloured(head.status.value)}{deleted}  [dim]{head.id}[/]", soft_wrap=True)
    left = is_left(run)
    until = "" if head.status.ended else " until its last point" if left else " so far"
    took = elapsed(ended_ms(run, int(time() * 1000)) - head.started_ms) + until
    made = f"stage {head.stage}" if head.stage else "logged"
    by = head.by.removeprefix("person:")
    paper.print(
        f"experiment {plain(experiment)}, {made} by {plain(by)}, began {minute(moment(head.started_ms))}, took {took}",
        soft_wrap=True,
    )
    commit, program = run.tags.get(COMMIT_TAG, ""), run.tags.get(SOURCE_TAG, "")
    if commit or program:
        of = f"{plain(program)} " if program else ""
        paper.print(
            f"made by {of}{f'of commit {plain(commit[:12])}' if commit else ''}".rstrip(), soft_wrap=True
        )
    if left:
        paper.print(
            f"[yellow]{LEFT}[/]: trimtab.run(id={plain(repr(head.id))}) lets it go on, and .end('KILLED') ends it",
            soft_wrap=True,
        )
    for note in filter(None, (head.note, run.tags.get(NOTE_TAG, ""))):
        paper.print(f"note: {plain(note)}", soft_wrap=True)
    for word, links in (("read", run.models_in), ("made", run.models_out)):
        for link in links:
            paper.print(f"{word} model {link.model}")


def _tell_metrics(paper: "Console", source: RunsSource, run: Run) -> None:
    if not run.metrics:
        return
    from trimtab.views.short_number import short_number

    made = table("metric", "last#", "least#", "most#", "step#", "")
    for name, last in sorted(run.metrics.items()):
        values = list(source.picture(run.head.id, name, _POINTS).values)
        numbers = [value for value in values if value == value]
        line = sparkline(values, _LINE) if len(values) > 1 else ""
        reach = [short_number(min(numbers)), short_number(max(numbers))] if numbers else ["-", "-"]
        made.add_row(plain(name), short_number(last.value), *reach, f"{last.step:,}", line)
    paper.print(made)


def _tell_pairs(paper: "Console", title: str, pairs: dict[str, str]) -> None:
    if not pairs:
        return
    made = table(title, "")
    for name, value in sorted(pairs.items()):
        made.add_row(plain(name), plain(value))
    paper.print(made)


def _tell_data(paper: "Console", run: Run) -> None:
    if not run.datasets:
        return
    made = table("dataset", "context", "digest", "source")
    for each in run.datasets:
        made.add_row(
            plain(each.name),
            plain(each.tags.get("mlflow.data.context", "-")),
            plain(each.digest),
            plain(each.source[:80]),
        )
    paper.print(made)


def _tell_files(paper: "Console", files: Sequence[LoggedFile]) -> None:
    if not files:
        return
    made = table("file", "bytes#")
    for file in files[:_FILES]:
        made.add_row(plain(file.path), f"{file.size_bytes:,}")
    paper.print(made)
    if len(files) > _FILES:
        paper.print(f"[dim]and {len(files) - _FILES:,} more files: --json lists them[/]")
