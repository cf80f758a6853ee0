"""All about one run."""

from typing import Any
from urllib.parse import quote

from trimtab.assembly.recording.process_tag import PROCESS_TAG
from trimtab.atoms.run import COMMIT_TAG, NAME_TAG, NOTE_TAG, PARENT_TAG, SOURCE_TAG, LoggedFile, Run
from trimtab.atoms.run_query import Comparison, Field, Query
from trimtab.tracking.tracking import Tracking
from trimtab.views.short_number import short_number
from trimtab.web.run_list_page import experiment_names
from trimtab.web.run_picture import ChartQuery, charts, choices
from trimtab.web.run_row import run_head

#: Files, and runs below this one, that are listed.
MOST_FILES, MOST_CHILDREN = 200, 50
#: Tags that the page says in their own place.
_PLACED = {NAME_TAG, NOTE_TAG, PARENT_TAG, SOURCE_TAG, COMMIT_TAG, PROCESS_TAG}


def about(tracking: Tracking, run: Run, asked: ChartQuery) -> dict[str, Any]:
    """Everything that the run's template asks for."""
    files = tracking.files.under(run.head.id)
    below = tracking.runs.search(
        Query(
            where=(Comparison(field=Field.TAG, key=PARENT_TAG, operator="=", value=run.head.id),),
            limit=MOST_CHILDREN,
        )
    )
    parent = run.tags.get(PARENT_TAG, "")
    above = tracking.index.runs.find(parent) if parent else None
    names = experiment_names(tracking, [run, *below.items, *([above] if above else [])])
    tags = {name: value for name, value in sorted(run.tags.items()) if name not in _PLACED}
    return {
        "run": run_head(run, names),
        "sealed": run.head.sealed,
        "text": run.tags.get(NOTE_TAG, ""),
        "source": run.tags.get(SOURCE_TAG, ""),
        "commit": run.tags.get(COMMIT_TAG, ""),
        "parameters": sorted(run.parameters.items()),
        "metrics": [
            {"name": name, "value": short_number(last.value), "step": last.step}
            for name, last in sorted(run.metrics.items())
        ],
        "tags": [(name, value) for name, value in tags.items() if not name.startswith("mlflow.")],
        "client_tags": [(name, value) for name, value in tags.items() if name.startswith("mlflow.")],
        "datasets": run.datasets,
        "models": [("read", link) for link in run.models_in] + [("made", link) for link in run.models_out],
        "files": [_file(run.head.id, file) for file in files[:MOST_FILES]],
        "files_left": max(len(files) - MOST_FILES, 0),
        "files_bytes": sum(file.size_bytes for file in files),
        "above": run_head(above, names) if above else None,
        "below": [run_head(each, names) for each in below.items],
        "below_left": bool(below.after),
        **charts(tracking, [run], list(run.metrics), asked),
        **choices(f"/runs/{quote(run.head.id)}", asked),
    }


def size(count: int) -> str:
    """Bytes for people.

    >>> size(512), size(20_480), size(3_500_000)
    ('512 B', '20 kB', '3.5 MB')
    """
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            value = count / 1000**power
            return f"{value:.1f} {unit}" if value < 10 and value % 1 >= 0.05 else f"{value:.0f} {unit}"
    return f"{count} B"


def _file(run: str, file: LoggedFile) -> dict[str, str]:
    folder, _, name = file.path.rpartition("/")
    return {
        "folder": f"{folder}/" if folder else "",
        "name": name,
        "size": size(file.size_bytes),
        "link": f"/api/v1/runs/{quote(run, safe='')}/files/{quote(file.path)}",
    }
