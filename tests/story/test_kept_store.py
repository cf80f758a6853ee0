"""A model in service through gc, backup, a lost disk and restore: the same answers, the same page."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_wine

from parts.service import ask, running, trimtab


def shown(page: str) -> str:
    """The home page without the address of the predictions, which is another after each start."""
    return re.sub(r"127\.0\.0\.1:\d+", "HERE", ask(f"{page}/")[1])


def answers(plane: str, rows: list[Any], request: str) -> Any:
    """Predictions and who made them."""
    status, told = ask(f"{plane}/predict/target", {"rows": rows, "request_id": request})
    assert status == 200, told
    return told["probabilities"], told["model_version"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    load_wine(as_frame=True).frame.to_csv(tmp_path / "wine.csv", index=False)
    return tmp_path


def test_a_model_in_service_outlives_gc_and_the_loss_of_its_store(
    project: Path, tmp_path_factory: Any
) -> None:
    place = str(tmp_path_factory.mktemp("elsewhere") / "backup")
    rows = json.loads(load_wine(as_frame=True).data.head(5).to_json(orient="records"))
    with running(project, "wine.csv", "--target", "target") as (page, plane):
        first = answers(plane, rows, "first")
        for path in (project / ".trimtab" / "blobs").glob("??/*"):
            _age(path)
        freed = json.loads(trimtab(project, "gc", "--idle", "1m", "--older", "0s", "--json"))
        assert freed["kept"] > 0
        assert answers(plane, rows, "after-gc") == first
        made = json.loads(trimtab(project, "backup", place, "--json"))
        assert made["blobs"] > 0
        assert answers(plane, rows, "after-backup") == first
    trimtab(project, "fsck", "--strict")
    trimtab(project, "backup", place)
    kept = json.loads(trimtab(project, "backup", place, "--list", "--json"))[-1]
    with running(project) as (page, plane):
        assert answers(plane, rows, "again") == first, "a start reads the champion's bytes anew"
        before = shown(page)
    shutil.rmtree(project / ".trimtab")
    back = json.loads(trimtab(project, "restore", place, "--json"))
    assert (back["entries"], back["chain"]) == (kept["entries"], kept["chain"])
    with running(project) as (page, plane):
        assert answers(plane, rows, "restored") == first
        assert _without_times(shown(page)) == _without_times(before)
    logged = (project / ".trimtab" / "streams").rglob("*.seg")
    content = b"".join(path.read_bytes() for path in logged)
    assert [name in content for name in (b'"first"', b'"after-gc"', b'"after-backup"', b'"again"')] == [
        True,
        True,
        True,
        False,
    ], "what was answered before the last backup is in it"


def _age(path: Path) -> None:
    import os

    os.utime(path, (0, 0))


def _without_times(page: str) -> str:
    """The page without what every start writes anew: times, numbers of entries, ids."""
    page = re.sub(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?", "THEN", page)
    return re.sub(r"\b[0-9a-f]{12,64}\b|\d+ entries", "SOME", page)
