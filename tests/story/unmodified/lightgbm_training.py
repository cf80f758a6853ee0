"""Boosted trees for tumours, with early stopping: autologged, and the model loaded again by its alias."""
# ruff: noqa: T201

import lightgbm as lgb
import mlflow
import mlflow.lightgbm
import numpy as np
from mlflow import MlflowClient
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split


def main() -> None:
    mlflow.set_experiment("tumours")
    mlflow.lightgbm.autolog(log_input_examples=True, registered_model_name="tumour-boosted")

    rows, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    train_rows, test_rows, train_labels, test_labels = train_test_split(
        rows, labels, test_size=0.25, random_state=1
    )
    train = lgb.Dataset(train_rows, label=train_labels)
    valid = lgb.Dataset(test_rows, label=test_labels, reference=train)

    params = {
        "objective": "binary",
        "metric": ["auc", "binary_logloss"],
        "learning_rate": 0.1,
        "num_leaves": 7,
    }
    with mlflow.start_run(run_name="boosted") as run:
        mlflow.set_tag("purpose", "screening")
        booster = lgb.train(
            params | {"seed": 1, "verbose": -1, "num_threads": 1},
            train,
            num_boost_round=200,
            valid_sets=[train, valid],
            valid_names=["train", "valid"],
            callbacks=[lgb.early_stopping(5, verbose=False)],
        )
        answers = booster.predict(test_rows, num_iteration=booster.best_iteration)
        auc = roc_auc_score(test_labels, answers)
        mlflow.log_metric("test_auc", auc)
        mlflow.log_table({"answer": answers[:5].tolist(), "label": test_labels[:5].tolist()}, "first.json")

        mlflow.lightgbm.autolog(log_models=False)
        for rate in (0.05, 0.3):
            with mlflow.start_run(run_name=f"rate {rate}", nested=True):
                tried = lgb.LGBMClassifier(learning_rate=rate, n_estimators=10, n_jobs=1, verbose=-1)
                tried.fit(train_rows, train_labels)
                mlflow.log_metric(
                    "test_auc", roc_auc_score(test_labels, tried.predict_proba(test_rows)[:, 1])
                )

    client = MlflowClient()
    [version] = client.search_model_versions(f"name = 'tumour-boosted' and run_id = '{run.info.run_id}'")
    client.set_registered_model_alias("tumour-boosted", "champion", version.version)
    champion = mlflow.lightgbm.load_model("models:/tumour-boosted@champion")
    assert np.allclose(champion.predict(test_rows, num_iteration=champion.best_iteration), answers)

    history = client.get_metric_history(run.info.run_id, "valid-auc")
    print(f"champion: version {version.version}, {len(history)} rounds, test auc {auc}")


if __name__ == "__main__":
    main()
