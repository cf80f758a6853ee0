"""Tells skl2onnx, once a process, to use our converters."""

from collections.abc import Callable
from functools import cache
from typing import Any

from trimtab.adapters.compile.scikit_tree import forest_table, histogram_link, histogram_table
from trimtab.adapters.compile.tree_operator import add_classifier, add_regressor
from trimtab.adapters.compile.tree_table import TreeTable

_CLASSIFIER_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "output_class_labels": [False, True],
}

#: Builds the tree table of a fitted estimator.
MakeTable = Callable[[Any], TreeTable]
#: Names the link of a fitted estimator.
FindLink = Callable[[Any], str]


@cache
def register_converters() -> None:
    """Register our converters: of some preprocessing, and of all trees whose library is installed."""
    from skl2onnx import update_registered_converter
    from skl2onnx.shape_calculators.scaler import calculate_sklearn_scaler_output_shapes
    from sklearn import ensemble, impute, preprocessing, tree

    from trimtab.adapters.compile.imputer import convert_imputer, imputer_shape
    from trimtab.adapters.compile.one_hot import convert_one_hot, one_hot_shape
    from trimtab.adapters.compile.robust_scaler import convert_robust_scaler

    update_registered_converter(
        preprocessing.OneHotEncoder, "TrimtabOneHotEncoder", one_hot_shape, convert_one_hot
    )
    update_registered_converter(impute.SimpleImputer, "TrimtabSimpleImputer", imputer_shape, convert_imputer)
    update_registered_converter(
        preprocessing.RobustScaler,
        "TrimtabRobustScaler",
        calculate_sklearn_scaler_output_shapes,
        convert_robust_scaler,
    )
    forests = (
        ensemble.RandomForestClassifier,
        ensemble.ExtraTreesClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesRegressor,
    )
    trees = (
        tree.DecisionTreeClassifier,
        tree.ExtraTreeClassifier,
        tree.DecisionTreeRegressor,
        tree.ExtraTreeRegressor,
    )
    for kind in forests + trees:
        _register(kind, forest_table, lambda estimator: "none")
    _register(ensemble.HistGradientBoostingClassifier, histogram_table, histogram_link, raw_scores=True)
    _register(ensemble.HistGradientBoostingRegressor, histogram_table, histogram_link)
    _register_boosters()


def _register_boosters() -> None:
    try:
        import lightgbm
    except ImportError:
        pass
    else:
        from trimtab.adapters.compile.lightgbm_tree import lightgbm_link, lightgbm_table

        for kind in (lightgbm.LGBMClassifier, lightgbm.LGBMRegressor):
            _register(kind, lightgbm_table, lightgbm_link, raw_scores=hasattr(kind, "decision_function"))
    try:
        import xgboost
    except ImportError:
        pass
    else:
        from trimtab.adapters.compile.xgboost_tree import xgboost_link, xgboost_table

        for kind in (
            xgboost.XGBClassifier,
            xgboost.XGBRegressor,
            xgboost.XGBRFClassifier,
            xgboost.XGBRFRegressor,
        ):
            _register(kind, xgboost_table, xgboost_link, raw_scores=hasattr(kind, "decision_function"))


def _register(kind: type, make_table: MakeTable, find_link: FindLink, raw_scores: bool = False) -> None:
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )
    from sklearn.base import is_classifier

    # is_classifier wants an instance; a class says the same by its base.
    classifies = kind.__name__.endswith("Classifier")

    def convert(scope: Any, operator: Any, container: Any) -> None:
        estimator = operator.raw_operator
        if is_classifier(estimator):
            scores_only = raw_scores and container.get_options(estimator, {"raw_scores": False})["raw_scores"]
            link = "none" if scores_only else find_link(estimator)
            add_classifier(make_table(estimator), link, estimator.classes_, scope, operator, container)
        else:
            add_regressor(make_table(estimator), find_link(estimator), scope, operator, container)

    options: dict[str, Any] | None = dict(_CLASSIFIER_OPTIONS) if classifies else None
    if options is not None and raw_scores:
        options["raw_scores"] = [True, False]
    shape = (
        calculate_linear_classifier_output_shapes if classifies else calculate_linear_regressor_output_shapes
    )
    update_registered_converter(
        kind, f"Trimtab{kind.__module__.partition('.')[0]}{kind.__name__}", shape, convert, options=options
    )
