"""Callbacks that record what a library says while it trains: `trimtab.callback.lightgbm()` and its like.

Each takes the run to log to; None: the innermost run whose `with` block is open when training begins.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trimtab.assembly.recording.active_run import ActiveRun, active_run
from trimtab.assembly.recording.run import run as begin_run
from trimtab.atoms.error import Conflict, UsageError
from trimtab.tracking.rule import MOST_KEY_CHARACTERS, MOST_PARAMETER_CHARACTERS

_LOG = logging.getLogger("trimtab")
_NOT_ALLOWED = re.compile(r"[^/\w.\- :]")
#: Environment variables that tell a process its rank among those that train together.
_RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")


def lightgbm(run: ActiveRun | None = None) -> Callable[[Any], None]:
    """A callback for `lightgbm.train`, `lightgbm.cv` and the `fit` of its estimators.

    Logs the parameters once, and every evaluation as `DATA-METRIC`, with the iteration as step.
    """
    return _LightGbm(run)


def xgboost(run: ActiveRun | None = None) -> Any:
    """A callback for `xgboost.train`, `xgboost.cv` and its estimators (`XGBClassifier(callbacks=[...])`).

    Logs the parameters of the booster once, every evaluation as `DATA-METRIC` with the iteration as step, and the best
    iteration and score where training stops early.
    """
    from xgboost.callback import TrainingCallback

    class Recording(TrainingCallback):
        """XGBoost takes no callback that does not inherit from its own."""

        def before_training(self, model: Any) -> Any:
            if hasattr(model, "save_config"):
                keep_parameters(_recorded(run), _booster_parameters(model))
            return model

        def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
            told: dict[str, float] = {}
            for data, metrics in evals_log.items():
                for metric, values in metrics.items():
                    name = metric_name(f"{data}-{metric}")
                    if isinstance(values[-1], tuple):
                        told[name], told[f"{name}-stdv"] = values[-1]
                    else:
                        told[name] = values[-1]
            _recorded(run).metrics(told, epoch)
            return False

        def after_training(self, model: Any) -> Any:
            best = model.attr("best_iteration") if hasattr(model, "attr") else None
            if best is not None:
                told = {"best_iteration": float(best), "best_score": float(model.attr("best_score"))}
                _recorded(run).metrics(told, int(best))
            return model

    return Recording()


def lightning(run: ActiveRun | None = None, *, checkpoints: bool = False) -> "LightningLogger":
    """A logger for `Trainer(logger=...)` of PyTorch Lightning.

    Args:
        run: None: the innermost open run, and where there is none, one that begins and ends with the training.
        checkpoints: Whether to keep the best checkpoint of each checkpoint callback in the run.
    """
    return LightningLogger(run, checkpoints=checkpoints)


class _LightGbm:
    """LightGBM calls it after each iteration, `order` among its other callbacks; early stopping comes later."""

    order = 10
    before_iteration = False

    def __init__(self, run: ActiveRun | None) -> None:
        self._run = run

    def __call__(self, env: Any) -> None:
        run = _recorded(self._run)
        if env.iteration == env.begin_iteration:
            keep_parameters(run, env.params)
        told: dict[str, float] = {}
        for data, metric, value, _, *spread in env.evaluation_result_list or ():
            name = metric_name(f"{data}-{metric}")
            told[name] = value
            if spread:
                told[f"{name}-stdv"] = spread[0]
        run.metrics(told, env.iteration)


class LightningLogger:
    """What Lightning asks of a logger, without its library: only the first of several processes records."""

    #: Where Lightning puts a prefix before a metric's name.
    group_separator = "/"
    #: Lightning keeps its checkpoints where it does without a logger.
    save_dir = root_dir = log_dir = None

    def __init__(self, run: ActiveRun | None = None, *, checkpoints: bool = False) -> None:
        """See `lightning`."""
        self._run, self._checkpoints = run, checkpoints
        self._mine = False
        self._savers: list[Any] = []

    @property
    def name(self) -> str:
        """Name of the folder that Lightning may make for checkpoints."""
        return "trimtab"

    @property
    def version(self) -> str:
        """The run's id: checkpoints of two runs do not mix."""
        return self.experiment.id if _is_first() else ""

    @property
    def experiment(self) -> ActiveRun:
        """The run; begun where there is none, and let go on where it ended with an earlier call of the trainer."""
        if self._run is None:
            self._run = active_run()
        if self._run is None or (self._mine and self._run.ended):
            self._run, self._mine = begin_run(id=None if self._run is None else self._run.id), True
        return self._run

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log what a module logged."""
        if _is_first():
            told = {metric_name(name): float(value) for name, value in metrics.items() if value is not None}
            self.experiment.metrics(told, step)

    def log_hyperparams(self, params: Any = None, *more: Any, **named: Any) -> None:
        """Log the parameters of a module and its data, nested ones with `/` between."""
        if _is_first():
            values = {} if params is None else params if isinstance(params, Mapping) else vars(params)
            keep_parameters(self.experiment, dict(_flat({**values, **named})))

    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """A model's graph is not kept."""

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Remember whose best checkpoint is to be kept."""
        if checkpoint_callback not in self._savers:
            self._savers.append(checkpoint_callback)

    def save(self) -> None:
        """Make durable what was logged."""
        if _is_first() and self._run is not None and not self._run.ended:
            self._run.flush()

    def finalize(self, status: str) -> None:
        """Keep the best checkpoints; end the run where it began with the training."""
        if not _is_first() or self._run is None or self._run.ended:
            return
        for saver in self._savers if self._checkpoints else ():
            path = getattr(saver, "best_model_path", "")
            if path and os.path.isfile(path):
                self._run.file(path, as_=f"checkpoints/{os.path.basename(path)}")
        self._run.flush()
        if self._mine:
            self._run.end("FINISHED" if status in ("success", "finished") else "FAILED")


def metric_name(text: str) -> str:
    """The name that a library gives a metric, in characters that a metric's name may have: `ndcg@5` as `ndcg_at_5`."""
    return _NOT_ALLOWED.sub("_", str(text).replace("@", "_at_")).strip("/")[:MOST_KEY_CHARACTERS] or "_"


def sayable(values: Mapping[Any, Any]) -> dict[str, str]:
    """Parameters of a library, with names and lengths that may be; None is not told."""
    told = {metric_name(name): value for name, value in values.items() if value is not None}
    return {name: str(value)[:MOST_PARAMETER_CHARACTERS] for name, value in told.items()}


def keep_parameters(run: ActiveRun, values: Mapping[Any, Any]) -> None:
    """Parameters of a library, in the run; those of a second training in one run are told and left out.

    A training is not to fail because of what is recorded about it.
    """
    try:
        run.parameters(sayable(values))
    except Conflict as error:
        _LOG.warning(
            "the parameters of a further training in run %s were not kept: %s: give each training a run of its own",
            run.id,
            error,
        )


def _recorded(run: ActiveRun | None) -> ActiveRun:
    found = run or active_run()
    if found is None:
        raise UsageError(
            "there is no run to log to: train inside `with trimtab.run():`, or give the callback a run"
        )
    return found


def _booster_parameters(model: Any) -> dict[str, Any]:
    learner = json.loads(model.save_config())["learner"]
    told: dict[str, Any] = dict(learner.get("learner_train_param", {}))
    for part in learner.get("gradient_booster", {}).values():
        if isinstance(part, dict) and "max_depth" in part:
            told |= {name: value for name, value in part.items() if isinstance(value, str)}
    return told


def _flat(values: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}/")
        else:
            yield f"{before}{name}", value


def _is_first() -> bool:
    """Whether this process is the first of those that train together, or the only one."""
    return next((int(os.environ[name]) for name in _RANKS if os.environ.get(name, "").isdigit()), 0) == 0
