"""LightGBM's boosters as tree tables."""

from typing import Any

import numpy as np

from trimtab.adapters.compile.tree_table import TreeTable
from trimtab.atoms.error import ModelRefused

#: What turns LightGBM's raw score into the answer, by objective.
LINKS = {
    "binary": "logistic",
    "multiclass": "softmax",
    "regression": "none",
    "regression_l1": "none",
    "huber": "none",
    "fair": "none",
    "quantile": "none",
    "mape": "none",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
}


def lightgbm_link(estimator: Any) -> str:
    """What turns the raw score into the answer.

    Raises:
        ModelRefused: The objective has no such form here (a function of the user's, one-versus-all ...).
    """
    words = str(estimator.booster_.dump_model(num_iteration=1).get("objective", "")).split()
    if not words or words[0] not in LINKS or "sqrt" in words:
        raise ModelRefused(
            f"{type(estimator).__name__} with objective {' '.join(words) or '(its own)'!r} cannot be compiled"
        )
    return LINKS[words[0]]


def lightgbm_table(estimator: Any) -> TreeTable:
    """The raw scores of a fitted LGBMClassifier or LGBMRegressor, up to its best iteration."""
    model = estimator.booster_.dump_model()
    outputs = int(model["num_tree_per_iteration"])
    trees = model["tree_info"]
    scale = len(trees) // outputs if model.get("average_output") else 1
    steepness = _steepness(str(model.get("objective", "")))
    table = TreeTable(outputs, [0.0] * outputs)
    for place, tree in enumerate(trees):
        _add(table, tree["tree_structure"], place % outputs, steepness / scale)
    return table


def _steepness(objective: str) -> float:
    """The factor before the logistic function, as in `binary sigmoid:1`."""
    for word in objective.split():
        if word.startswith("sigmoid:"):
            return float(word.partition(":")[2])
    return 1.0


def _add(table: TreeTable, root: dict[str, Any], output: int, factor: float) -> None:
    nodes, left, right = [root], [], []
    for node in nodes:  # grows while it is walked
        if "leaf_const" in node or "leaf_coeff" in node:
            raise ModelRefused("LightGBM with linear_tree=True cannot be compiled")
        children = "left_child" in node
        left.append(len(nodes) if children else -1)
        right.append(len(nodes) + 1 if children else -1)
        if children:
            nodes += [node["left_child"], node["right_child"]]
    leaf = np.array(left) < 0
    table.add(
        feature=np.array([node.get("split_feature", 0) for node in nodes]),
        threshold=np.array([0.0 if leaf[i] else _threshold(node) for i, node in enumerate(nodes)]),
        left=np.array(left),
        right=np.array(right),
        missing_left=np.array([not leaf[i] and _missing_left(node) for i, node in enumerate(nodes)]),
        leaf=leaf,
        values=np.array([[float(node.get("leaf_value", 0.0)) * factor] for node in nodes]),
        outputs=[output],
    )


def _threshold(node: dict[str, Any]) -> float:
    if node["decision_type"] != "<=":
        raise ModelRefused(
            "LightGBM with categorical_feature= cannot be compiled: leave the codes as numbers"
        )
    return float(node["threshold"])


def _missing_left(node: dict[str, Any]) -> bool:
    """Where a missing value goes: LightGBM reads it as zero unless it met missing values in training."""
    zero_left = float(node["threshold"]) >= 0.0
    if node["missing_type"] == "None":
        return zero_left
    if node["missing_type"] == "Zero" and bool(node["default_left"]) != zero_left:
        raise ModelRefused("LightGBM with zero_as_missing=True cannot be compiled")
    return bool(node["default_left"])
