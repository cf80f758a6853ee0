"""The route of the registry's history; the registry is changed in MLflow's words."""

from trimtab.tracking.registry.model_shelf import RegisteredModels
from trimtab.web.access.permission import Permission
from trimtab.web.api.view_answer import Placements
from trimtab.web.route import Call, Route


def registry_routes(registered: RegisteredModels) -> list[Route]:
    """Reading what aliases and stages meant."""

    def history(call: Call) -> Placements:
        return Placements(history=registered.history(call.path["name"]))

    return [
        Route(
            "GET",
            "/api/v1/registry/{name}/history",
            Permission.READ,
            history,
            "Who moved each alias and stage of a registered model, and when.",
            answer=Placements,
        )
    ]
