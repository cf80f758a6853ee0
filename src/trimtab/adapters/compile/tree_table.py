"""Decision trees of any library as one table of nodes, in the form of ONNX's tree ensemble."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def floor_float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 at or below each value.

    Our features are float32, so `x <= floor_float32(t)` decides every row exactly as `x <= t` does in
    float64.

    >>> bool(floor_float32(np.array([0.1]))[0] <= 0.1), bool(np.float32(0.1) <= 0.1)
    (True, False)
    """
    exact = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        rounded = exact.astype(np.float32)
    below = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded.astype(np.float64) > exact, below, rounded)


class TreeTable:
    """Nodes of a forest, gathered tree by tree; its raw score is the sum of the leaves that a row reaches."""

    def __init__(self, outputs: int, base: Sequence[float]) -> None:
        self.outputs = outputs
        #: Raw score before any tree, one per output.
        self.base = [float(value) for value in base]
        self._nodes: dict[str, list[NDArray[Any]]] = {}
        self._trees = 0

    def add(
        self,
        *,
        feature: NDArray[Any],
        threshold: NDArray[np.float64],
        left: NDArray[Any],
        right: NDArray[Any],
        missing_left: NDArray[Any],
        leaf: NDArray[Any],
        values: NDArray[np.float64],
        outputs: Sequence[int],
        strict: bool = False,
    ) -> None:
        """Add one tree of m nodes, root first.

        Args:
            feature: Column that each node looks at; ignored at a leaf.
            threshold: A row goes left where its value is at most this (below it, where `strict`).
            left: Index of the left child; ignored at a leaf.
            right: Index of the right child; ignored at a leaf.
            missing_left: Whether a missing value goes left.
            leaf: Whether the node is a leaf.
            values: What a leaf adds to the raw score, shape (m, len(outputs)).
            outputs: The raw scores that the columns of `values` belong to.
            strict: True for XGBoost, whose thresholds are float32 already.
        """
        count, leaf = len(feature), np.asarray(leaf, dtype=bool)
        cut = np.asarray(threshold, dtype=np.float32) if strict else floor_float32(threshold)
        index = np.arange(count)
        self._keep("nodes_treeids", np.full(count, self._trees))
        self._keep("nodes_nodeids", index)
        self._keep("nodes_featureids", np.where(leaf, 0, feature))
        self._keep("nodes_values", np.where(leaf, np.float32(0), cut))
        self._keep("nodes_modes", np.where(leaf, "LEAF", "BRANCH_LT" if strict else "BRANCH_LEQ"))
        self._keep("nodes_truenodeids", np.where(leaf, 0, left))
        self._keep("nodes_falsenodeids", np.where(leaf, 0, right))
        self._keep("nodes_missing_value_tracks_true", np.where(leaf, 0, missing_left))
        leaves = index[leaf]
        self._keep("leaf_treeids", np.full(len(leaves) * len(outputs), self._trees))
        self._keep("leaf_nodeids", np.repeat(leaves, len(outputs)))
        self._keep("leaf_ids", np.tile(np.asarray(outputs), len(leaves)))
        self._keep("leaf_weights", np.asarray(values, dtype=np.float64)[leaf].astype(np.float32).ravel())
        self._trees += 1

    def attributes(self, leaf_prefix: str) -> dict[str, Any]:
        """Attributes of TreeEnsembleClassifier (`class`) or TreeEnsembleRegressor (`target`)."""
        joined = {name: np.concatenate(parts) for name, parts in self._nodes.items()}
        attributes: dict[str, Any] = {}
        for name, column in joined.items():
            full = name.replace("leaf_", f"{leaf_prefix}_")
            if column.dtype.kind == "U":
                attributes[full] = [str(value) for value in column]
            elif column.dtype.kind == "f":
                attributes[full] = column.astype(np.float32)
            else:
                attributes[full] = [int(value) for value in column]
        if any(self.base):
            attributes["base_values"] = np.asarray(self.base, dtype=np.float32)
        return attributes

    def _keep(self, name: str, values: NDArray[Any]) -> None:
        self._nodes.setdefault(name, []).append(np.asarray(values))
