"""`trimtab runs` on a store with the engine's runs and people's, and the same asked of a server."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from parts.control import control
from parts.logged_runs import MARKUP, log_runs
from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.run import NAME_TAG, Run, RunHead, RunStatus
from trimtab.cli.run_table import Listing
from trimtab.cli.screen import plain
from trimtab.testing.example_year import MODEL, example_year
from trimtab.tracking.tracking import open_tracking

Trimtab = Callable[..., Any]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose store holds a made-up year, and runs that people logged."""
    folder = tmp_path_factory.mktemp("project")
    place = folder / ".trimtab"
    with closing(open_store(place)) as store, closing(open_run_index(place / "runs.sqlite")) as index:
        example_year(store, days=40)
        tracking = open_tracking(store, index)
        log_runs(tracking)
        tracking.follower.stop()
    return folder


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[str]:
    """The address of a control plane over it."""
    with control(project) as running:
        yield running.address


@pytest.fixture(params=["store", "server"])
def where(request: pytest.FixtureRequest, project: Path) -> list[str]:
    """The options that say where the runs are."""
    if request.param == "store":
        return ["--store", str(project / ".trimtab")]
    return ["--server", request.getfixturevalue("server")]


def said(trimtab: Trimtab, where: list[str], *arguments: str) -> Any:
    """What `trimtab runs ARGUMENTS --json` says."""
    ran = trimtab("runs", *arguments, "--json", *where)
    assert (ran.status, ran.err) == (0, "")
    return json.loads(ran.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def names(account: Any) -> list[str]:
    return [run["name"] for run in account["runs"]]


def test_the_engines_runs_and_peoples_are_one_list(trimtab: Trimtab, where: list[str]) -> None:
    account = said(trimtab, where)
    assert {"shallow", "deep", "broken", "below", MARKUP} <= set(names(account))
    assert any(run["stage"] == "train" and run["experiment_name"] == MODEL for run in account["runs"])
    assert account["count"] == len(account["runs"])
    assert "gone" not in names(account)
    assert names(said(trimtab, where, "--deleted")) == ["gone"]
    assert "gone" in names(said(trimtab, where, "list", "--all"))


def test_a_list_is_filtered_and_ordered(trimtab: Trimtab, where: list[str]) -> None:
    assert names(said(trimtab, where, "churn", "--where", "params.depth = '3'")) == ["shallow"]
    ordered = said(
        trimtab, where, "churn", "--where", "metrics.roc_auc > 0.1", "--order", "metrics.roc_auc DESC"
    )
    assert names(ordered) == ["deep", "shallow"]
    two = said(trimtab, where, "--order", "params.depth DESC, start_time", "--limit", "2")
    assert (len(two["runs"]), two["count"] > 2, bool(two["after"])) == (2, True, True)
    rest = said(
        trimtab, where, "--order", "params.depth DESC, start_time", "--limit", "100", "--after", two["after"]
    )
    assert len(rest["runs"]) == two["count"] - 2
    assert not {run["id"] for run in rest["runs"]} & {run["id"] for run in two["runs"]}


def test_a_table_says_how_many_there_are_and_how_to_see_more(trimtab: Trimtab, where: list[str]) -> None:
    ran = trimtab("runs", "churn", "--limit", "2", *where)
    assert ran.status == 0
    assert "experiment churn" in ran.out
    assert "2 of 4 runs; more with --limit 4, or the next ones with --after " in ran.out
    whole = trimtab("runs", "churn", *where).out
    assert "0.45" in whole
    assert "broken" in whole
    assert "FAILED" in whole
    assert "a NaN in column [tenure]" in whole, "square brackets are text"
    chosen = trimtab("runs", "churn", "--columns", "params.seed,tags.team,metrics.roc_auc", *where).out
    assert [word for word in ("seed", "team", "roc_auc", "growth") if word not in chosen] == []
    assert "val/loss" not in chosen


def test_options_may_come_before_the_command(trimtab: Trimtab, where: list[str]) -> None:
    assert trimtab("runs", *where, "show", "deep").out.startswith("deep")
    assert trimtab("runs", "--log", *where, "chart", "val/loss", "deep").status == 0
    assert "experiment churn" in trimtab("runs", *where, "churn").out
    assert "runs list --help" in trimtab("runs", *where, "--where", "params.depth = 'show'", "--no-such").err


def test_a_run_whose_process_is_gone_is_told_so(trimtab: Trimtab, where: list[str]) -> None:
    assert "its process is gone" in trimtab("runs", "other", *where).out
    shown = trimtab("runs", "show", MARKUP, *where).out
    assert "its process is gone: trimtab.run(id='" in shown
    assert "until its last point" in shown
    assert "trimtab.process" not in shown


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (160, {"run", "name", "experiment", "status", "began", "took", "note"}),
        (80, {"run", "name", "experiment", "status", "began", "took"}),
        (76, {"run", "name", "experiment", "status", "began"}),
        (64, {"run", "name", "experiment", "status"}),
        (34, {"run", "name", "status"}),
    ],
)
def test_a_narrow_screen_shows_fewer_columns_and_none_of_them_cut(width: int, told: set[str]) -> None:
    runs = [
        Run(
            head=RunHead(
                id=f"{place:032x}"[::-1],
                experiment=str(place),
                status=RunStatus.FAILED,
                started_ms=10**12,
                ended_ms=10**12 + 1000,
                by="person:ada",
                note="x" * 300,
            ),
            tags={NAME_TAG: "a name that is a good deal longer than there is room for"},
        )
        for place in range(3)
    ]
    listing = Listing(runs, {str(place): "flights" for place in range(3)}, width)
    paper = Console(width=width, file=io.StringIO())
    paper.print(listing.fitting())
    head, _, *rows = [line for line in paper.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]
    assert set(head.split()) == told
    assert all("FAILED" in row and len(row) <= width for row in rows)


def test_on_a_narrow_screen_runs_stand_beside_each_other_as_far_as_there_is_room(
    trimtab: Trimtab, where: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.cli.screen.WIDE", 70)
    out = trimtab("runs", "compare", "shallow", "deep", "broken", *where).out
    heads = [line.split() for line in out.splitlines() if line.strip().startswith(("metric", "parameter"))]
    assert [head[1:] for head in heads] == [["FINISHED", "FINISHED"], ["FAILED"]] * 2
    assert "…" not in out


@pytest.mark.parametrize("text", ["a[b]", "\\[red]x", "[/]", "ends in \\", ":fire:", "a\tb"])
def test_words_of_people_are_no_markup(text: str) -> None:
    assert Text.from_markup(f"[dim]{plain(text)}[/]", emoji=False).plain == text


def test_words_of_people_do_not_move_the_cursor() -> None:
    assert plain("a\x1b[2J\x07\x9bb") == "a�\\[2J��b"


def test_a_run_is_named_by_id_the_beginning_of_one_or_its_name(trimtab: Trimtab, where: list[str]) -> None:
    whole = said(trimtab, where, "show", "deep")
    for name in (whole["id"], whole["id"][:20]):
        assert said(trimtab, where, "show", name)["name"] == "deep"
    assert said(trimtab, where, "show", MARKUP)["name"] == MARKUP
    assert said(trimtab, where, "show", "gone")["deleted"] is True
    nobody = trimtab("runs", "show", "nobody", *where)
    assert nobody.status == 2
    assert "no run 'nobody'" in nobody.err
    assert "`trimtab runs`" in nobody.err
    several = trimtab("runs", "show", whole["id"][0], *where)
    assert several.status == 2
    assert whole["id"][:8] in several.err
    assert "give more of the id" in several.err
    assert trimtab("runs", "show", "100% _ ' \"", *where).status == 2


def test_all_about_one_run(trimtab: Trimtab, where: list[str]) -> None:
    account = said(trimtab, where, "show", "deep")
    assert account["parameters"] == {"depth": "8", "seed": "1"}
    assert account["metrics"]["val/loss"]["value"] == 0.4
    assert account["datasets"][0]["name"] == "customers"
    assert [file["path"] for file in account["files"]] == ["model/weights & more.bin", "notes.txt"]
    text = trimtab("runs", "show", "deep", *where).out
    told = (
        "FINISHED",
        "experiment churn",
        "Deeper trees.",
        "train.py of commit 3fa9c1d2e4b5",
        "customers",
        "growth",
    )
    assert [word for word in (*told, "training", "weights & more.bin", "2,048") if word not in text] == []
    line = next(line for line in text.splitlines() if "val/loss" in line)
    assert [word for word in ("0.4", "0.8", "█", "▃▁▁") if word not in line] == []


def test_runs_side_by_side(trimtab: Trimtab, where: list[str]) -> None:
    account = said(trimtab, where, "compare", "shallow", "deep", "shallow")
    assert names(account) == ["shallow", "deep"]
    rows = {row["name"]: row for row in account["metrics"]}
    assert rows["val/loss"]["best"] == [account["runs"][1]["id"]]
    assert rows["val/loss"]["deltas"][1] == pytest.approx(-0.05)
    assert rows["epochs"]["best"] == []
    text = trimtab("runs", "compare", "shallow", "deep", *where).out
    lines = text.splitlines()
    assert any("val/loss ↓" in line and "* 0.4 (-0.05)" in line for line in lines), text
    assert any("roc_auc ↑" in line and "* 0.75" in line for line in lines), text
    assert any(line.split() == ["depth", "3", "8"] for line in lines), text
    assert not any(line.split()[:1] == ["seed"] for line in lines), "what is the same is not told"
    assert "1 metric and 1 parameter the same in all" in text
    assert any(
        line.split()[:1] == ["seed"]
        for line in trimtab("runs", "compare", "shallow", "deep", "--all", *where).out.splitlines()
    )
    alone = trimtab("runs", "compare", "shallow", "shallow", *where)
    assert alone.status == 2
    assert "name 2 to 10" in alone.err


def test_a_chart_of_runs(trimtab: Trimtab, where: list[str]) -> None:
    account = said(trimtab, where, "chart", "val/loss", "shallow", "deep")
    assert account["runs"][0]["values"] == [0.9, 0.7, "NaN", 0.5, 0.45]
    assert account["runs"][0]["steps"] == [0, 1, 2, 3, 4]
    text = trimtab("runs", "chart", "val/loss", "shallow", "deep", *where).out
    assert "a shallow" in text
    assert "b deep" in text
    assert "last 0.4 at step 4, least 0.4, most 0.8" in text
    assert "1 point is a gap" in text
    assert any(0x2800 < ord(letter) < 0x2900 for letter in text)
    chosen = said(
        trimtab, where, "chart", "val/loss", "--experiment", "churn", "--where", "params.depth = '8'"
    )
    assert names(chosen) == ["deep"]
    assert "over seconds" in trimtab("runs", "chart", "val/loss", "deep", "--time", "--log", *where).out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody"], "no experiment 'nobody': there is "),
        (["--where", "metrics.loss <"], "filter"),
        (["--order", "params.x sideways"], "order"),
        (["--columns", "depth"], "write metrics.NAME, params.NAME or tags.NAME"),
        (["chart", "nothing", "deep"], "has no metric 'nothing': it has epochs, roc_auc, val/loss"),
        (["chart", "nothing"], "has a metric 'nothing'"),
        (["chart", "val/loss", "deep", "--where", "params.depth = '3'"], "not both"),
        (["chart", "epochs", "--where", "params.depth = '77'"], "none of the 0 newest runs"),
        (["compare", "deep", "nobody"], "no run 'nobody'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_in_a_line(
    arguments: list[str], told: str, trimtab: Trimtab, where: list[str]
) -> None:
    ran = trimtab("runs", *arguments, *where)
    assert (ran.status, ran.out) == (2, "")
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_a_server_that_is_away_is_said(trimtab: Trimtab) -> None:
    ran = trimtab("runs", "--server", "nowhere")
    assert ran.status == 2
    assert "address" in ran.err


def test_colours_are_for_terminals_that_want_them(project: Path) -> None:
    command = f"trimtab.cli.program runs chart val/loss shallow deep --store {project / '.trimtab'}"
    program = f"import pty, sys; sys.exit(pty.spawn([sys.executable, '-m', *{command.split()!r}]) >> 8)"
    for no_colour, coloured in (("", True), ("1", False)):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TERM": "xterm-256color",
            "COLUMNS": "90",
        }
        environment.pop("NO_COLOR", None)
        ran = subprocess.run(
            [sys.executable, "-c", program.replace("trimtab.cli.program", "trimtab")],
            env=environment | ({"NO_COLOR": no_colour} if no_colour else {}),
            capture_output=True,
            timeout=60,
            check=True,
        )
        text = ran.stdout.decode()
        assert "⠑" in text or "⠒" in text or "⡄" in text, text
        assert ("\x1b[36m" in text) is coloured
