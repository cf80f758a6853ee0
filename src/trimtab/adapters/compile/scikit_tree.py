"""scikit-learn's trees, forests and histogram boosting as tree tables."""

from typing import Any

import numpy as np

from trimtab.adapters.compile.tree_table import TreeTable
from trimtab.atoms.error import ModelRefused


def forest_table(estimator: Any) -> TreeTable:
    """A single tree or a forest: the mean of its trees (class shares, or values)."""
    if int(getattr(estimator, "n_outputs_", 1)) != 1:
        raise ModelRefused(
            f"{type(estimator).__name__} with {estimator.n_outputs_} targets cannot be compiled"
        )
    trees = [member.tree_ for member in getattr(estimator, "estimators_", [estimator])]
    outputs = len(estimator.classes_) if hasattr(estimator, "classes_") else 1
    table = TreeTable(outputs, [0.0] * outputs)
    for tree in trees:
        values = np.asarray(tree.value[:, 0, :], dtype=np.float64)
        if hasattr(estimator, "classes_"):
            # Before 1.3 a node held counts, since then shares; dividing is right for both.
            values = values / values.sum(axis=1, keepdims=True)
        table.add(
            feature=tree.feature,
            threshold=tree.threshold,
            left=tree.children_left,
            right=tree.children_right,
            missing_left=tree.missing_go_to_left,
            leaf=tree.children_left < 0,
            values=values / len(trees),
            outputs=range(outputs),
        )
    return table


def histogram_table(estimator: Any) -> TreeTable:
    """HistGradientBoosting: the raw scores, before the link.

    Splits over sets of categories are refused: they have no counterpart in this ONNX operator, and the usual
    converter writes them as thresholds, without an error.
    """
    if (
        getattr(estimator, "_preprocessor", None) is not None
        or getattr(estimator, "is_categorical_", None) is not None
    ):
        raise ModelRefused(
            f"{type(estimator).__name__} with categorical_features= cannot be compiled: "
            "encode the categories in a pipeline instead (OneHotEncoder, or leave the codes as numbers)"
        )
    base = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()
    table = TreeTable(len(base), base.tolist())
    for iteration in estimator._predictors:
        for output, predictor in enumerate(iteration):
            nodes = predictor.nodes
            table.add(
                feature=nodes["feature_idx"].astype(np.int64),
                threshold=nodes["num_threshold"],
                left=nodes["left"].astype(np.int64),
                right=nodes["right"].astype(np.int64),
                missing_left=nodes["missing_go_to_left"],
                leaf=nodes["is_leaf"],
                values=nodes["value"].reshape(-1, 1),
                outputs=[output],
            )
    return table


def histogram_link(estimator: Any) -> str:
    """What turns the raw score into the answer: `none`, `exp`, `logistic` or `softmax`."""
    loss = type(estimator._loss).__name__
    links = {"HalfBinomialLoss": "logistic", "HalfMultinomialLoss": "softmax"}
    links |= dict.fromkeys(("HalfPoissonLoss", "HalfGammaLoss"), "exp")
    links |= dict.fromkeys(("HalfSquaredError", "AbsoluteError", "PinballLoss"), "none")
    if loss not in links:
        raise ModelRefused(f"{type(estimator).__name__} with loss {loss} cannot be compiled")
    return links[loss]
