"""`trimtab.autolog_sklearn()`: while its block runs, every `fit` of scikit-learn's kind is recorded."""

import csv
import functools
import hashlib
import io
import json
import logging
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from typing import Any

from trimtab.assembly.recording.active_run import ActiveRun, active_run
from trimtab.assembly.recording.callback import sayable
from trimtab.assembly.recording.run import run as begin_run

_LOG = logging.getLogger("trimtab")


@contextmanager
def autolog_sklearn(
    run: ActiveRun | None = None, *, scores: bool = True, estimators: bool = True
) -> Iterator[None]:
    """Record each outermost `fit`: parameters, scores on the training data, and the fitted estimator as a file.

    The first fit is recorded in the run, each further one in a child of it; where no run is open, each has its own. A
    fit inside another one, as of a pipeline's steps or a search's candidates, is a part of that one.

    Patched are the classes that were imported before the block; it takes the patches back. The estimator is kept as a
    pickle with a manifest (class, versions, SHA-256): it can be compared and fetched, and is never loaded or served.

    Args:
        run: None: the innermost run whose block is open at the fit.
        scores: Whether to score the training data, which predicts it once or twice; weights of rows are left out.
        estimators: Whether to keep the estimator.
    """
    from sklearn.base import BaseEstimator

    recorder = _Recorder(run, scores=scores, estimators=estimators)
    patched: dict[type, tuple[Any, Any]] = {}
    for kind in _all_below(BaseEstimator):
        fit = kind.__dict__.get("fit")
        if callable(fit):
            patched[kind] = fit, recorder.around(fit)
            kind.fit = patched[kind][1]  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for kind, (fit, recording) in patched.items():
            if kind.__dict__.get("fit") is recording:
                kind.fit = fit  # type: ignore[attr-defined]


class _Recorder:
    """Records fits; knows which are parts of another."""

    def __init__(self, run: ActiveRun | None, *, scores: bool, estimators: bool) -> None:
        self._run, self._scores, self._estimators = run, scores, estimators
        self._lock = threading.Lock()
        #: Threads in which a fit is under way.
        self._fitting: set[int] = set()
        #: Runs that have had their first fit.
        self._used: set[str] = set()

    def around(self, fit: Callable[..., Any]) -> Callable[..., Any]:
        """`fit`, recorded where it is no part of another."""

        @functools.wraps(fit)
        def recording(estimator: Any, *args: Any, **named: Any) -> Any:
            thread = threading.get_ident()
            with self._lock:
                # Threads that a fit uses have no run open; those of a person who records several runs at once have.
                alone = self._run is None and active_run() is None
                part = thread in self._fitting or (alone and len(self._fitting) > 0)
                if not part:
                    self._fitting.add(thread)
            if part:
                return fit(estimator, *args, **named)
            try:
                with self._begun(estimator) as run:
                    fitted = fit(estimator, *args, **named)
                    self._record(run, estimator, args, named)
                return fitted
            finally:
                with self._lock:
                    self._fitting.discard(thread)

        return recording

    @contextmanager
    def _begun(self, estimator: Any) -> Iterator[ActiveRun]:
        outer = self._run or active_run()
        with self._lock:
            first = outer is not None and outer.id not in self._used
            if outer is not None:
                self._used.add(outer.id)
        if outer is not None and first:
            yield outer
            return
        with begin_run(type(estimator).__name__, parent=outer, system_metrics=False) as own:
            yield own

    def _record(
        self, run: ActiveRun, estimator: Any, args: tuple[Any, ...], named: Mapping[str, Any]
    ) -> None:
        """Whatever cannot be told does no harm to the fit."""
        steps: list[Callable[[], None]] = [lambda: _log_parameters(run, estimator)]
        x = args[0] if args else named.get("X")
        y = args[1] if len(args) > 1 else named.get("y")
        if self._scores and y is not None:
            steps.append(lambda: run.metrics(_training_scores(estimator, x, y)))
        if hasattr(estimator, "cv_results_"):
            steps.append(lambda: _log_search(run, estimator))
        if self._estimators:
            steps.append(lambda: _keep(run, estimator))
        for step in steps:
            try:
                step()
            except Exception as error:
                _LOG.warning("a part of the fit of %s was not recorded: %s", type(estimator).__name__, error)


def _all_below(kind: type) -> Iterator[type]:
    seen: set[type] = set()
    waiting = [kind]
    while waiting:
        below: list[type] = waiting.pop().__subclasses__()
        for each in below:
            if each not in seen:
                seen.add(each)
                waiting.append(each)
                yield each


def _log_parameters(run: ActiveRun, estimator: Any) -> None:
    run.tag("estimator_name", type(estimator).__name__)
    run.tag("estimator_class", f"{type(estimator).__module__}.{type(estimator).__qualname__}")
    run.parameters(sayable(estimator.get_params(deep=True)))


def _training_scores(estimator: Any, x: Any, y: Any) -> dict[str, float]:
    """Scores under the names that MLflow gives them."""
    from sklearn import metrics
    from sklearn.base import is_classifier, is_regressor

    told: dict[str, float] = {}
    if hasattr(estimator, "score"):
        told["training_score"] = float(estimator.score(x, y))
    if not hasattr(estimator, "predict"):
        return told
    if is_classifier(estimator):
        guesses = estimator.predict(x)
        told["training_accuracy_score"] = float(metrics.accuracy_score(y, guesses))
        told["training_f1_score"] = float(metrics.f1_score(y, guesses, average="weighted", zero_division=0))
        if hasattr(estimator, "predict_proba"):
            shares = estimator.predict_proba(x)
            told["training_log_loss"] = float(metrics.log_loss(y, shares, labels=estimator.classes_))
            binary = shares.shape[1] == 2
            told["training_roc_auc"] = float(
                metrics.roc_auc_score(
                    y, shares[:, 1] if binary else shares, multi_class="ovr", average="weighted"
                )
            )
    elif is_regressor(estimator):
        guesses = estimator.predict(x)
        told["training_mean_squared_error"] = float(metrics.mean_squared_error(y, guesses))
        told["training_root_mean_squared_error"] = told["training_mean_squared_error"] ** 0.5
        told["training_mean_absolute_error"] = float(metrics.mean_absolute_error(y, guesses))
        told["training_r2_score"] = float(metrics.r2_score(y, guesses))
    return told


def _log_search(run: ActiveRun, search: Any) -> None:
    if hasattr(search, "best_params_"):
        run.parameters(sayable({f"best_{name}": value for name, value in search.best_params_.items()}))
    if hasattr(search, "best_score_"):
        run.metric("best_cv_score", search.best_score_)
    columns = {name: list(values) for name, values in search.cv_results_.items()}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    run.file(text.getvalue().encode(), as_="cv_results.csv")


def _keep(run: ActiveRun, estimator: Any) -> None:
    body = pickle.dumps(estimator, protocol=5)
    package = type(estimator).__module__.partition(".")[0]
    told = {
        "class": f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        "format": "pickle",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size_bytes": len(body),
        "servable": False,
        "versions": _versions({"scikit-learn", "numpy", {"sklearn": "scikit-learn"}.get(package, package)}),
    }
    run.file(body, as_="model/estimator.pkl")
    run.file(json.dumps(told, indent=1).encode(), as_="model/manifest.json")


def _versions(packages: set[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    for package in sorted(packages):
        try:
            told[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return told
