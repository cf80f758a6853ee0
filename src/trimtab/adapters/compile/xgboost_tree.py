"""XGBoost's boosters as tree tables."""

import json
import math
from typing import Any

import numpy as np

from trimtab.adapters.compile.tree_table import TreeTable
from trimtab.atoms.error import ModelRefused

#: What turns XGBoost's margin into the answer, by objective.
LINKS = {
    "binary:logistic": "logistic",
    "multi:softprob": "softmax",
    "reg:squarederror": "none",
    "reg:absoluteerror": "none",
    "reg:pseudohubererror": "none",
    "reg:quantileerror": "none",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
}


def xgboost_link(estimator: Any) -> str:
    """What turns the margin into the answer; ModelRefused where the objective has no such form here."""
    objective = json.loads(estimator.get_booster().save_config())["learner"]["objective"]["name"]
    if objective not in LINKS:
        raise ModelRefused(f"{type(estimator).__name__} with objective {objective!r} cannot be compiled")
    return LINKS[objective]


def xgboost_table(estimator: Any) -> TreeTable:
    """The margins of a fitted XGBoost estimator with the scikit-learn API, up to its best iteration."""
    who = type(estimator).__name__
    missing = getattr(estimator, "missing", math.nan)
    if missing is not None and not math.isnan(missing):
        raise ModelRefused(f"{who} with missing={missing} cannot be compiled: leave missing values as NaN")
    first, last = estimator._get_iteration_range(None)
    booster = estimator.get_booster()
    learner = json.loads((booster[first:last] if last else booster).save_raw("json"))["learner"]
    boosting = learner["gradient_booster"]
    if boosting["name"] != "gbtree":
        raise ModelRefused(
            f"{who} with booster={boosting['name']!r} cannot be compiled: use booster='gbtree'"
        )
    groups = boosting["model"]["tree_info"]
    outputs = max(
        int(learner["learner_model_param"]["num_class"]),
        int(learner["learner_model_param"].get("num_target", 1)),
        1,
    )
    table = TreeTable(outputs, _base(estimator, learner, outputs))
    for tree, group in zip(boosting["model"]["trees"], groups, strict=True):
        _add(table, tree, int(group), who)
    return table


def _base(estimator: Any, learner: dict[str, Any], outputs: int) -> list[float]:
    """The margin before any tree: the base score, through the inverse of the link."""
    text = str(learner["learner_model_param"]["base_score"])
    scores = [float(score) for score in (json.loads(text) if text.startswith("[") else [text])]
    scores = scores * outputs if len(scores) == 1 else scores
    link = xgboost_link(estimator)
    if link == "logistic":
        return [math.log(score / (1 - score)) for score in scores]
    return [math.log(score) for score in scores] if link == "exp" else scores


def _add(table: TreeTable, tree: dict[str, Any], output: int, who: str) -> None:
    if int(tree["tree_param"].get("size_leaf_vector", 1)) > 1:
        raise ModelRefused(f"{who} with multi_strategy='multi_output_tree' cannot be compiled")
    if any(tree.get("split_type", [])):
        raise ModelRefused(
            f"{who} with enable_categorical=True cannot be compiled: leave the codes as numbers"
        )
    left = np.array(tree["left_children"])
    # A leaf keeps its value where a split keeps its threshold.
    conditions = np.array(tree["split_conditions"], dtype=np.float64)
    table.add(
        feature=np.array(tree["split_indices"]),
        threshold=conditions,
        left=left,
        right=np.array(tree["right_children"]),
        missing_left=np.array(tree["default_left"]),
        leaf=left < 0,
        values=conditions.reshape(-1, 1),
        outputs=[output],
        strict=True,
    )
