"""Every metric by name."""

from collections.abc import Mapping
from types import MappingProxyType

from trimtab.stats.metric.absolute_error import absolute_error_rows, mae, mae_resample
from trimtab.stats.metric.accuracy import accuracy, accuracy_resample, accuracy_rows
from trimtab.stats.metric.brier import brier, brier_resample, brier_rows
from trimtab.stats.metric.calibration_error import (
    expected_calibration_error,
    expected_calibration_error_resample,
)
from trimtab.stats.metric.confusion import (
    f1,
    f1_resample,
    precision,
    precision_resample,
    recall,
    recall_resample,
)
from trimtab.stats.metric.log_loss import log_loss, log_loss_resample, log_loss_rows
from trimtab.stats.metric.metric import Metric
from trimtab.stats.metric.r2 import r2, r2_resample
from trimtab.stats.metric.roc_auc import roc_auc, roc_auc_resample
from trimtab.stats.metric.squared_error import mse, mse_resample, rmse, rmse_resample, squared_error_rows

_ALL = (
    Metric("log_loss", False, "classification", log_loss, log_loss_rows, log_loss_resample),
    Metric("brier", False, "classification", brier, brier_rows, brier_resample),
    Metric("roc_auc", True, "classification", roc_auc, None, roc_auc_resample),
    Metric("accuracy", True, "classification", accuracy, accuracy_rows, accuracy_resample),
    Metric("f1", True, "classification", f1, None, f1_resample),
    Metric("precision", True, "classification", precision, None, precision_resample),
    Metric("recall", True, "classification", recall, None, recall_resample),
    Metric(
        "expected_calibration_error",
        False,
        "classification",
        expected_calibration_error,
        None,
        expected_calibration_error_resample,
    ),
    Metric("rmse", False, "regression", rmse, None, rmse_resample),
    Metric("mse", False, "regression", mse, squared_error_rows, mse_resample),
    Metric("mae", False, "regression", mae, absolute_error_rows, mae_resample),
    Metric("r2", True, "regression", r2, None, r2_resample),
)

#: Every metric that a project file may name.
METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})
