"""`trimtab up` on tables that nobody tuned for: served, right shapes, page shown, and it goes on where it stood."""

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from parts.service import ask, running, trimtab

TABLES: dict[str, tuple[pd.DataFrame, int]] = {
    "breast_cancer": (load_breast_cancer(as_frame=True).frame, 2),
    "diabetes": (load_diabetes(as_frame=True).frame, 0),
    "wine": (load_wine(as_frame=True).frame, 3),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_served_and_watched(tmp_path: Path, name: str) -> None:
    table, classes = TABLES[name]
    table.to_csv(tmp_path / f"{name}.csv", index=False)
    rows = json.loads(table.drop(columns="target").head(3).to_json(orient="records"))
    with running(tmp_path, f"{name}.csv", "--target", "target") as (page, plane):
        status, answer = ask(f"{plane}/predict/target", {"rows": rows, "request_id": "first"})
        assert status == 200, answer
        assert len(answer["predictions"]) == 3
        assert answer["model_version"] == "1"
        assert answer["request_id"] == "first"
        if classes:
            assert answer["classes"] == list(range(classes))
            assert [round(sum(row), 5) for row in answer["probabilities"]] == [1.0] * 3
        else:
            assert "probabilities" not in answer
        truth = json.loads(table["target"].head(1).to_json(orient="values"))[0]
        status, told = ask(
            f"{plane}/outcomes/target", {"outcomes": [{"request_id": "first", "value": truth}]}
        )
        assert (status, told) == (200, {"accepted": 1})
        status, problem = ask(f"{plane}/predict/target", {"rows": [{"mean": 1}]})
        assert status == 422
        assert problem["status"] == 422
        status, shown = ask(f"{page}/")
        assert status == 200
        assert "target" in shown


def test_a_second_start_goes_on_where_the_first_stood(tmp_path: Path) -> None:
    TABLES["wine"][0].to_csv(tmp_path / "wine.csv", index=False)
    rows = json.loads(TABLES["wine"][0].drop(columns="target").head(1).to_json(orient="records"))
    answers = []
    for arguments in (["wine.csv", "--target", "target"], []):
        with running(tmp_path, *arguments) as (_, plane):
            status, answer = ask(f"{plane}/predict/target", {"rows": rows})
            assert status == 200
            answers.append((answer["probabilities"], answer["model_version"]))
    assert answers[0] == answers[1]
    models = json.loads(trimtab(tmp_path, "models", "--json"))
    assert len(models["models"]["target"]["versions"]) == 1
