"""Runs as a table that fits the screen."""

from collections.abc import Sequence
from time import time
from typing import TYPE_CHECKING, NamedTuple

from trimtab.assembly.recording.process_tag import LEFT, ended_ms, is_left
from trimtab.atoms.run import Run
from trimtab.cli.screen import coloured, minute, plain, table
from trimtab.views.comparison import SHOWN_DIGITS, of_machine, short_ids, varying
from trimtab.views.elapsed import elapsed, moment
from trimtab.views.short_number import short_number

if TYPE_CHECKING:
    from rich.table import Table

#: Columns of each sort that are chosen where nobody names any.
CHOSEN = 5
#: Characters of a value that are shown, those between two columns, and those without which a note says nothing.
_LONGEST, _BETWEEN, _LEAST_NOTE = 28, 3, 10
#: Characters that a metric should have, with what is between.
_METRIC = 12
#: What is told of each run.
_FIXED = ("run", "name", "experiment", "status", "began", "took#")
#: For ever narrower screens: digits of an id, characters of a name, and what is left out.
_NARROWER = (
    (8, _LONGEST, frozenset[str]()),
    (8, 16, frozenset[str]()),
    (8, 16, frozenset({"took#"})),
    (8, 16, frozenset({"took#", "began"})),
    (8, 16, frozenset({"took#", "began", "experiment"})),
    (8, 10, frozenset({"took#", "began", "experiment"})),
)


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
        self._runs, self._names, self._width = runs, names, width
        self._one = len({run.head.experiment for run in runs}) == 1
        self._notes = [_note(run) for run in runs]
        #: Characters that the notes should have, with what is between.
        self._noted = min(max(map(len, self._notes)), _LONGEST) + _BETWEEN if any(self._notes) else 0
        self._fixed = self._told(SHOWN_DIGITS, _LONGEST, frozenset())
        for digits, longest, without in _NARROWER:
            # Names are cut for a metric and the notes, and columns are left out for what would not fit without that.
            if self._room(self._fixed) >= (0 if without else self._noted + _METRIC):
                break
            self._fixed = self._told(digits, longest, without)
        #: Metrics and parameters that `fitting` had no room for.
        self.left = 0

    def fitting(self) -> "Table":
        """As many of the metrics and parameters that tell the runs apart as the screen has room for."""
        parameters, metrics = varying(self._runs)
        metrics = [name for name in metrics if not of_machine(name)]
        wanted = (
            [Column("metrics", name) for name in metrics],
            [Column("params", name) for name in parameters],
        )
        room = self._room(self._fixed)
        room -= self._noted if room >= self._noted + _METRIC else min(self._noted, _LEAST_NOTE + _BETWEEN)
        kept: list[Column] = []
        # A metric, a parameter, a metric ...: what was given and what came of it, as far as both go.
        turns = [each[place] for place in range(CHOSEN) for each in wanted if place < len(each)]
        for column in turns:
            needed = _width_of(self._cells(column)) + _BETWEEN
            if needed <= room:
                room -= needed
                kept.append(column)
        self.left = len(metrics) + len(parameters) - len(kept)
        return self.table(sorted(kept, key=lambda column: column.sort))

    def table(self, columns: Sequence[Column]) -> "Table":
        """The table with exactly these columns besides, and of the notes what there is room for."""
        head, *rows = self._fixed
        room = self._room(self._fixed) - sum(_width_of(self._cells(column)) + _BETWEEN for column in columns)
        # Where the columns alone are wider than the screen they are folded, and a note would only make that worse.
        notes = self._notes if any(self._notes) and room - _BETWEEN >= _LEAST_NOTE else []
        headings = [f"{plain(name)}#" if sort == "metrics" else plain(name) for sort, name in columns]
        made = table(*head, *headings, *(["note"] if notes else []))
        for column in (*made.columns[: len(head)], *made.columns[len(head) + len(columns) :]):
            column.no_wrap = True
        if self._one:
            made.title = f"experiment {plain(self._names.get(self._runs[0].head.experiment, ''))}"
            made.title_justify, made.title_style = "left", "bold"
        for place, (run, row) in enumerate(zip(self._runs, rows, strict=True)):
            cells = [plain(cell) for cell in row]
            status = head.index("status")
            cells[status] = coloured(run.head.status.value) + (" [dim]deleted[/]" if run.head.deleted else "")
            values = [plain(_value(run, column)) for column in columns]
            note = [plain(_shortened(notes[place], room - _BETWEEN))] if notes else []
            made.add_row(*cells, *values, *note)
        return made

    def _told(self, digits: int, longest: int, without: frozenset[str]) -> list[list[str]]:
        """What is always told: the heads, and a row a run."""
        ids = short_ids(self._runs, digits)
        left_out = without | ({"experiment"} if self._one else set())
        now_ms = int(time() * 1000)
        heads = [name for name in _FIXED if name not in left_out]
        rows = [heads]
        for run in self._runs:
            head = run.head
            told = {
                "run": ids[head.id],
                "name": _shortened(run.name, longest) or "-",
                "experiment": _shortened(self._names.get(head.experiment, head.experiment), longest),
                "status": head.status.value + (" deleted" if head.deleted else ""),
                "began": minute(moment(head.started_ms)),
                "took#": elapsed(ended_ms(run, now_ms) - head.started_ms),
            }
            rows.append([told[name] for name in heads])
        return rows

    def _room(self, rows: Sequence[Sequence[str]]) -> int:
        """Characters that these columns leave."""
        return self._width - 1 - sum(_width_of(cells) + _BETWEEN for cells in zip(*rows, strict=True))

    def _cells(self, column: Column) -> list[str]:
        return [column.name, *(_value(run, column) for run in self._runs)]


def _width_of(cells: Sequence[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, cells))


def _note(run: Run) -> str:
    return " ".join(run.head.note.split()) or (LEFT if is_left(run) else "")


def _value(run: Run, column: Column) -> str:
    if column.sort == "metrics":
        last = run.metrics.get(column.name)
        return "-" if last is None else short_number(last.value)
    values = run.parameters if column.sort == "params" else run.tags
    return _shortened(values.get(column.name, "-"))


def _shortened(text: str, longest: int = _LONGEST) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
