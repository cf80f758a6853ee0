"""Tells three kinds of wine apart: a search over two families of models, the better one registered and used."""
# ruff: noqa: T201

import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import classification_report, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CANDIDATES = {
    "linear": (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
        {"logisticregression__C": [0.1, 1.0]},
    ),
    "forest": (RandomForestClassifier(random_state=0), {"n_estimators": [5, 20], "max_depth": [2, 4]}),
}


def main() -> None:
    rows, labels = load_wine(return_X_y=True, as_frame=True)
    train_rows, test_rows, train_labels, test_labels = train_test_split(
        rows, labels, test_size=0.3, random_state=0
    )

    mlflow.set_experiment("wine")
    mlflow.sklearn.autolog(log_models=False)

    with mlflow.start_run(run_name="compare", description="Which family is better?", tags={"team": "cellar"}):
        mlflow.log_params({"test_size": 0.3, "families": sorted(CANDIDATES)})
        for name, (model, grid) in CANDIDATES.items():
            with mlflow.start_run(run_name=name, nested=True):
                search = GridSearchCV(model, grid, cv=3).fit(train_rows, train_labels)
                mlflow.set_tag("family", name)
                mlflow.log_metric("test_accuracy", search.score(test_rows, test_labels))
                mlflow.log_dict(
                    classification_report(test_labels, search.predict(test_rows), output_dict=True),
                    "report.json",
                )

    best = mlflow.search_runs(
        experiment_names=["wine"],
        filter_string="tags.family LIKE '%' and metrics.test_accuracy > 0.5",
        order_by=["metrics.test_accuracy DESC", "attributes.run_name DESC"],
    ).iloc[0]
    mlflow.sklearn.autolog(log_input_examples=True)
    with mlflow.start_run(run_name="refitted", nested=True) as refitted:
        mlflow.log_param("of", best.run_id)
        CANDIDATES[best["tags.family"]][0].fit(train_rows, train_labels)
    mlflow.sklearn.autolog(disable=True)

    # A model that learns step by step, logged by hand.
    scaler = StandardScaler().fit(train_rows)
    with mlflow.start_run(run_name="by hand") as by_hand, tempfile.TemporaryDirectory() as folder:
        stepwise = SGDClassifier(loss="log_loss", random_state=0)
        mlflow.log_params(stepwise.get_params())
        for epoch in range(30):
            stepwise.partial_fit(scaler.transform(train_rows), train_labels, classes=[0, 1, 2])
            loss = log_loss(test_labels, stepwise.predict_proba(scaler.transform(test_rows)))
            mlflow.log_metric("loss", loss, step=epoch)
        notes = Path(folder) / "notes.txt"
        notes.write_text(f"{len(train_rows)} bottles\n")
        mlflow.log_artifact(str(notes), "notes")
        mlflow.sklearn.log_model(
            make_pipeline(scaler, stepwise), name="stepwise", pip_requirements=["scikit-learn"]
        )

    version = mlflow.register_model(f"runs:/{refitted.info.run_id}/model", "wine-kind")
    mlflow.register_model(f"runs:/{by_hand.info.run_id}/stepwise", "wine-kind")
    client = MlflowClient()
    client.set_registered_model_alias("wine-kind", "champion", version.version)
    client.set_model_version_tag("wine-kind", version.version, "family", best["tags.family"])

    champion = mlflow.pyfunc.load_model("models:/wine-kind@champion")
    accuracy = float((champion.predict(test_rows) == test_labels).mean())
    print(f"champion: {best['tags.family']}, test accuracy {accuracy}")


if __name__ == "__main__":
    main()
