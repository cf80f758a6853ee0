"""Every route of MLflow's protocol that is answered here."""

from trimtab.tracking.tracking import Tracking
from trimtab.web.route import Route


def mlflow_routes(tracking: Tracking) -> list[Route]:
    """Routes under `/api/2.0/mlflow`, `/api/2.0/mlflow-artifacts` and the newer paths of today's clients."""
    return []
