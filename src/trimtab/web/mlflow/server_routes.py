"""What MLflow's clients ask about the server itself."""

from starlette.responses import PlainTextResponse, Response

from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.answer import Json
from trimtab.web.mlflow.twin import V3, twins
from trimtab.web.route import Call, Route

#: The version of MLflow whose protocol is spoken, and with whose client it is tested.
PROTOCOL = "3.17.2"


def _version(call: Call) -> Response:
    return PlainTextResponse(PROTOCOL)


def _health(call: Call) -> Response:
    return PlainTextResponse("OK")


def _server_info(call: Call) -> Json:
    return {
        "store_type": None,
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
        "presigned_upload_run_id_supported": False,
        "presigned_upload_model_id_supported": False,
        "features_enabled": {"gateway": False},
    }


def server_routes() -> list[Route]:
    """Routes that tell what the server is."""
    everybody = Permission.OPEN
    return [
        *twins("GET", "/version", everybody, _version, "Which protocol is spoken.", prefixes=("",)),
        *twins("GET", "/health", everybody, _health, "Whether the server answers.", prefixes=("",)),
        *twins("GET", "/server-info", everybody, _server_info, "What the server can do.", prefixes=V3),
    ]
