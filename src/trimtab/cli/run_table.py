"""Runs as a table that fits the screen."""

from collections.abc import Sequence
from time import time
from typing import TYPE_CHECKING, NamedTuple

from trimtab.atoms.run import Run
from trimtab.cli.screen import coloured, minute, plain, table

if TYPE_CHECKING:
    from rich.table import Table

#: Columns of each sort that are chosen where nobody names any.
CHOSEN = 5
#: Characters of a value that are shown, and those between two columns.
_LONGEST, _BETWEEN = 28, 3


class Column(NamedTuple):
    """A column that people choose."""

    #: `metrics`, `params` or `tags`.
    sort: str
    name: str


class Listing:
    """Runs, with what is told of each of them."""

    def __init__(self, runs: Sequence[Run], names: dict[str, str], width: int) -> None:
        """
        Args:
            names: Of experiments, by id.
            width: Of the screen, in characters.
        """
        from trimtab.views.comparison import short_ids

        self._runs, self._names, self._width = runs, names, width
        self._ids = short_ids(runs)
        self._one = len({run.head.experiment for run in runs}) == 1
        #: Metrics and parameters that `fitting` had no room for.
        self.left = 0

    def fitting(self) -> "Table":
        """As many of the metrics and parameters that tell the runs apart as the screen has room for."""
        from trimtab.views.comparison import varying

        parameters, metrics = varying(self._runs)
        wanted = (
            [Column("metrics", name) for name in metrics],
            [Column("params", name) for name in parameters],
        )
        room = self._width - sum(
            self._width_of(cells) + _BETWEEN for cells in zip(*self._fixed(), strict=True)
        )
        room -= min(max(len(run.head.note) for run in self._runs), _LONGEST) + _BETWEEN
        kept: list[Column] = []
        # A metric, a parameter, a metric ...: what was given and what came of it, as far as both go.
        turns = [each[place] for place in range(CHOSEN) for each in wanted if place < len(each)]
        for column in turns:
            needed = self._width_of([column.name, *(_value(run, column) for run in self._runs)]) + _BETWEEN
            if needed <= room:
                room -= needed
                kept.append(column)
        self.left = len(metrics) + len(parameters) - len(kept)
        return self.table(sorted(kept, key=lambda column: column.sort))

    def table(self, columns: Sequence[Column]) -> "Table":
        """The table with exactly these columns besides."""
        head, *rows = self._fixed()
        headings = [f"{plain(name)}#" if sort == "metrics" else plain(name) for sort, name in columns]
        notes = [" ".join(run.head.note.split()) for run in self._runs]
        made = table(*head, *headings, *(["note"] if any(notes) else []))
        for column in made.columns[: len(head)]:
            column.no_wrap = True
        if any(notes):
            made.columns[-1].no_wrap, made.columns[-1].min_width = True, 10
        if self._one:
            made.title = f"experiment {plain(self._names.get(self._runs[0].head.experiment, ''))}"
            made.title_justify, made.title_style = "left", "bold"
        for run, row, note in zip(self._runs, rows, notes, strict=True):
            place = head.index("status")
            row[place] = coloured(row[place].split()[0]) + (" [dim]deleted[/]" if run.head.deleted else "")
            values = [plain(_value(run, column)) for column in columns]
            made.add_row(*row, *values, *([plain(note)] if any(notes) else []))
        return made

    def _fixed(self) -> list[list[str]]:
        """What is always told: the heads, and a row a run."""
        from trimtab.views.elapsed import elapsed, moment

        rows = [["run", "name", *([] if self._one else ["experiment"]), "status", "began", "took#"]]
        now_ms = int(time() * 1000)
        for run in self._runs:
            head = run.head
            experiment = self._names.get(head.experiment, head.experiment)
            rows.append(
                [
                    self._ids[head.id],
                    plain(_shortened(run.name)) or "-",
                    *([] if self._one else [plain(_shortened(experiment))]),
                    head.status.value + (" deleted" if head.deleted else ""),
                    minute(moment(head.started_ms)),
                    elapsed((head.ended_ms or now_ms) - head.started_ms),
                ]
            )
        return rows

    def _width_of(self, cells: Sequence[str]) -> int:
        return max(map(len, cells))


def _value(run: Run, column: Column) -> str:
    from trimtab.views.short_number import short_number

    if column.sort == "metrics":
        last = run.metrics.get(column.name)
        return "-" if last is None else short_number(last.value)
    values = run.parameters if column.sort == "params" else run.tags
    return _shortened(values.get(column.name, "-"))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
