"""Data that the runs of experiments read, in MLflow's protocol."""

from dataclasses import dataclass

import msgspec

from trimtab.atoms.run_query import Query
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.answer import Json
from trimtab.web.mlflow.experiment_routes import experiment_id
from trimtab.web.mlflow.number import missing
from trimtab.web.mlflow.twin import twins
from trimtab.web.route import Call, Refused, Route

#: What one question may name, and one answer hold, by MLflow's rules.
MOST_EXPERIMENTS, MOST_ANSWERS = 20, 1000
#: The tag of a use that says what the data was for.
CONTEXT_TAG = "mlflow.data.context"
_PAGE = 1000


class DatasetSearch(msgspec.Struct, frozen=True):
    """Body of `experiments/search-datasets`."""

    experiment_ids: list[str] | None = None


@dataclass(frozen=True, slots=True)
class _Datasets:
    tracking: Tracking

    def search(self, call: Call) -> Json:
        asked: DatasetSearch = call.body
        if not asked.experiment_ids:
            raise missing("experiment_ids")
        if len(asked.experiment_ids) > MOST_EXPERIMENTS:
            raise Refused(400, f"experiment_ids: {MOST_EXPERIMENTS} are the most")
        query = Query(experiments=tuple(map(experiment_id, asked.experiment_ids)), limit=_PAGE)
        found: dict[tuple[str, str, str, str | None], None] = {}
        while len(found) < MOST_ANSWERS:
            page = self.tracking.runs.search(query)
            for run in page.items:
                for dataset in run.datasets:
                    context = dataset.tags.get(CONTEXT_TAG)
                    found[run.head.experiment, dataset.name, dataset.digest, context] = None
            if not page.after:
                break
            query = msgspec.structs.replace(query, after=page.after)
        answers = [_answer(*each) for each in list(found)[:MOST_ANSWERS]]
        return {"dataset_summaries": answers} if answers else {}


def _answer(experiment: str, name: str, digest: str, context: str | None) -> Json:
    told = {} if context is None else {"context": context}
    return {"experiment_id": experiment, "name": name, "digest": digest, **told}


def dataset_routes(tracking: Tracking) -> list[Route]:
    """The route by which data is found."""
    of, read = _Datasets(tracking), Permission.READ
    return [
        *twins(
            "POST",
            "/experiments/search-datasets",
            read,
            of.search,
            "Data that runs read.",
            body=DatasetSearch,
        )
    ]
