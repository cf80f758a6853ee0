"""A search over the parameters that the model's function asks its trial for."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray

from trimtab.atoms.error import UsageError
from trimtab.loop.train.fitting import fit_model, predictions
from trimtab.spec.dataset import Dataset, Trial
from trimtab.spec.model import ModelSpec
from trimtab.stats.metric.log_loss import log_loss


@dataclass(slots=True)
class Search:
    """What was tried, and what came of it."""

    #: `log_loss` or `rmse`: smaller is better.
    metric: str
    #: Parameters and loss of each trial, in order; None where the trial failed.
    trials: list[tuple[dict[str, Any], float | None]] = field(default_factory=list)

    @property
    def best(self) -> dict[str, Any]:
        """Parameters of the trial with the least loss; the earliest of equals."""
        done = [(loss, place) for place, (_, loss) in enumerate(self.trials) if loss is not None]
        return self.trials[min(done)[1]][0]


def search_parameters(
    spec: ModelSpec,
    learn: Dataset,
    judge: Dataset,
    *,
    fixed: dict[str, Any],
    trials: int,
) -> Search:
    """Try the defaults first, then what a seeded TPE sampler proposes.

    Args:
        learn: The older part of the training rows.
        judge: The newest part of the training rows; the hold-out stays unseen.
        fixed: Parameters that are not searched.

    Raises:
        UsageError: Not one setting could be fitted; the message is that of the last one.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search = Search("log_loss" if learn.classes else "rmse")
    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=spec.seed))
    failure: UsageError | None = None
    for number in range(trials):
        proposed = study.ask() if number else None
        trial = Trial(seed=spec.seed, fixed=dict(fixed), search=proposed)
        try:
            estimator = fit_model(spec, learn, trial)
            answers = predictions(spec, estimator, judge.x, classes=len(judge.classes))
            loss = _loss(judge.y, answers, bool(judge.classes))
        except UsageError as error:
            failure, loss = error, None
        search.trials.append((dict(trial.used), loss))
        if proposed is not None:
            state = optuna.trial.TrialState.FAIL if loss is None else None
            study.tell(proposed, loss, state=state)
        if number == 0 and not trial.used:
            break  # the function asks for nothing: there is nothing to search
    if failure is not None and all(loss is None for _, loss in search.trials):
        raise failure
    return search


def _loss(truth: NDArray[Any], answers: NDArray[np.float64], classification: bool) -> float | None:
    loss = log_loss(truth, answers) if classification else float(np.sqrt(np.mean((truth - answers) ** 2)))
    return loss if np.isfinite(loss) else None
