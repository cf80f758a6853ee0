"""Every route of MLflow's protocol that is answered here."""

from trimtab.tracking.tracking import Tracking
from trimtab.web.mlflow.artifact_routes import artifact_routes
from trimtab.web.mlflow.dataset_routes import dataset_routes
from trimtab.web.mlflow.experiment_routes import experiment_routes
from trimtab.web.mlflow.history_routes import history_routes
from trimtab.web.mlflow.input_routes import input_routes
from trimtab.web.mlflow.log_routes import log_routes
from trimtab.web.mlflow.model_routes import model_routes
from trimtab.web.mlflow.registry_routes import registry_routes
from trimtab.web.mlflow.run_routes import run_routes
from trimtab.web.mlflow.server_routes import server_routes
from trimtab.web.mlflow.unsupported import unsupported_routes
from trimtab.web.route import Route


def mlflow_routes(tracking: Tracking) -> list[Route]:
    """Routes under `/api/2.0/mlflow`, `/api/2.0/mlflow-artifacts` and the newer paths of today's clients."""
    return [
        *experiment_routes(tracking),
        *run_routes(tracking),
        *log_routes(tracking),
        *input_routes(tracking),
        *history_routes(tracking),
        *artifact_routes(tracking),
        *model_routes(tracking),
        *dataset_routes(tracking),
        *registry_routes(tracking),
        *server_routes(),
        *unsupported_routes(),
    ]
