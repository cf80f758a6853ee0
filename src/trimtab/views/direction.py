"""Which way a metric is better, where its name leaves no doubt."""

import re

#: Said of a metric before or after its name: what it was measured on, or how it was averaged.
_ROUND = re.compile(
    r"^(train|training|val|valid|validation|test|testing|eval|evaluation|holdout|best|final|mean|avg|macro|micro|"
    r"weighted)(_\d+)?_|_(train|training|val|valid|validation|test|eval|holdout|best|final|mean|avg|macro|micro|weighted|"
    r"epoch|step)$"
)

_SMALLER = frozenset(
    {
        "loss",
        "log_loss",
        "logloss",
        "multi_logloss",
        "binary_logloss",
        "mlogloss",
        "cross_entropy",
        "nll",
        "bce",
    }
    | {
        "mse",
        "rmse",
        "mae",
        "mape",
        "smape",
        "rmsle",
        "msle",
        "wape",
        "mean_squared_error",
        "mean_absolute_error",
    }
    | {
        "root_mean_squared_error",
        "mean_absolute_percentage_error",
        "median_absolute_error",
        "max_error",
        "l2",
    }
    | {
        "brier",
        "brier_score",
        "calibration_error",
        "ece",
        "error",
        "error_rate",
        "binary_error",
        "multi_error",
    }
    | {
        "perplexity",
        "wer",
        "cer",
        "hinge_loss",
        "crps",
        "pinball_loss",
        "merror",
        "zero_one_loss",
        "fpr",
        "fnr",
    }
)
_LARGER = frozenset(
    {
        "accuracy",
        "acc",
        "accuracy_score",
        "balanced_accuracy",
        "top_5_accuracy",
        "auc",
        "roc_auc",
        "auroc",
        "pr_auc",
    }
    | {"roc_auc_score", "average_precision", "precision", "recall", "precision_score", "recall_score", "f1"}
    | {"f1_score", "fbeta", "specificity", "sensitivity", "r2", "r2_score", "explained_variance", "mcc"}
    | {
        "matthews_corrcoef",
        "kappa",
        "cohen_kappa",
        "ndcg",
        "mrr",
        "bleu",
        "rouge1",
        "rouge2",
        "rougel",
        "iou",
    }
    | {"miou", "dice", "psnr", "ssim", "log_likelihood"}
)


def direction(metric: str) -> int:
    """Which way is better: 1 the larger, -1 the smaller, 0 where the name does not say.

    >>> direction("val/loss"), direction("test_roc_auc"), direction("learning_rate")
    (-1, 1, 0)
    """
    name = re.sub(r"[^a-z0-9]+", "_", metric.lower()).strip("_")
    while True:
        if name in _SMALLER:
            return -1
        if name in _LARGER:
            return 1
        shorter = _ROUND.sub("", name, count=1)
        if shorter == name:
            return -1 if name.endswith("_loss") else 0
        name = shorter
