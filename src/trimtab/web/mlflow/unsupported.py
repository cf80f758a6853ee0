"""What of MLflow's protocol is not spoken here: each call gets MLflow's own words; docs/mlflow.md lists it."""

from typing import NamedTuple, NoReturn

from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.twin import ARTIFACTS, V2, V3, twins
from trimtab.web.route import Call, Endpoint, Refused, Route


class Feature(NamedTuple):
    """A feature of MLflow that is not there."""

    name: str
    #: With what the answer begins, where clients look for words of their own to give up quietly; else empty.
    words: str
    prefixes: tuple[str, ...]
    #: Methods and paths.
    calls: tuple[str, ...]


_ROOT = ("",)

FEATURES: tuple[Feature, ...] = (
    Feature(
        "multipart upload",
        "Multipart upload is not supported for the current artifact repository",
        ARTIFACTS,
        (
            "POST /mpu/create/{path:path}",
            "POST /mpu/complete/{path:path}",
            "POST /mpu/abort/{path:path}",
        ),
    ),
    Feature(
        "presigned addresses of files",
        "",
        ARTIFACTS,
        ("GET /presigned/{path:path}",),
    ),
    Feature(
        "presigned addresses of files",
        "",
        V2,
        ("POST /artifacts/presigned-upload-url", "POST /artifacts/presigned-download-url"),
    ),
    Feature("traces", "REST OTLP span logging is not supported", _ROOT, ("POST /v1/traces",)),
    Feature(
        "traces",
        "",
        V2,
        (
            "POST /traces",
            "GET /traces",
            "PATCH /traces/{trace}",
            "GET /traces/{trace}/info",
            "PATCH /traces/{trace}/tags",
            "DELETE /traces/{trace}/tags",
            "POST /traces/link-to-run",
            "POST /traces/link-prompts",
            "POST /traces/delete-traces",
            "GET /unified-traces",
            "GET /get-online-trace-details",
            "GET /get-trace-artifact",
        ),
    ),
    Feature(
        "traces",
        "",
        V3,
        (
            "POST /traces",
            "GET /traces/{trace}",
            "GET /traces/get",
            "GET /traces/batchGet",
            "POST /traces/batchGetInfos",
            "POST /traces/search",
            "PATCH /traces/{trace}/tags",
            "DELETE /traces/{trace}/tags",
            "POST /traces/delete-traces",
            "POST /traces/calculate-filter-correlation",
            "POST /traces/metrics",
            "GET /get-trace-artifact",
        ),
    ),
    Feature(
        "assessments",
        "",
        V3,
        (
            "POST /traces/{trace}/assessments",
            "GET /traces/{trace}/assessments/{assessment}",
            "PATCH /traces/{trace}/assessments/{assessment}",
            "DELETE /traces/{trace}/assessments/{assessment}",
        ),
    ),
    Feature(
        "workspaces",
        "",
        V3,
        (
            "GET /workspaces",
            "POST /workspaces",
            "GET /workspaces/{workspace}",
            "PATCH /workspaces/{workspace}",
            "DELETE /workspaces/{workspace}",
        ),
    ),
    Feature(
        "issues",
        "",
        V3,
        ("POST /issues", "PATCH /issues/{issue}", "GET /issues/{issue}", "POST /issues/search"),
    ),
    Feature(
        "label schemas",
        "",
        V3,
        (
            "POST /label-schemas/create",
            "GET /label-schemas/get",
            "GET /label-schemas/get-by-name",
            "GET /label-schemas/list",
            "PATCH /label-schemas/update",
            "DELETE /label-schemas/delete",
        ),
    ),
    Feature(
        "review queues",
        "",
        V3,
        (
            "POST /review-queues/create",
            "POST /review-queues/get-or-create-user",
            "GET /review-queues/get",
            "GET /review-queues/get-by-name",
            "GET /review-queues/list",
            "POST /review-queues/update",
            "POST /review-queues/delete",
            "POST /review-queues/items/add",
            "POST /review-queues/items/remove",
            "GET /review-queues/items/list",
            "POST /review-queues/items/set-status",
        ),
    ),
    Feature(
        "evaluation datasets",
        "",
        V3,
        (
            "POST /datasets/create",
            "GET /datasets/{dataset}",
            "DELETE /datasets/{dataset}",
            "POST /datasets/search",
            "GET /datasets/search",
            "PATCH /datasets/{dataset}/tags",
            "DELETE /datasets/{dataset}/tags/{key}",
            "POST /datasets/{dataset}/records",
            "GET /datasets/{dataset}/records",
            "DELETE /datasets/{dataset}/records",
            "GET /datasets/{dataset}/experiment-ids",
            "POST /datasets/{dataset}/add-experiments",
            "POST /datasets/{dataset}/remove-experiments",
        ),
    ),
    Feature(
        "scorers",
        "",
        V3,
        (
            "POST /scorers/register",
            "GET /scorers/list",
            "GET /scorers/versions",
            "GET /scorers/get",
            "DELETE /scorers/delete",
        ),
    ),
    Feature(
        "AI gateway",
        "",
        V3,
        (
            *(f"POST /gateway/{thing}/create" for thing in ("secrets", "endpoints", "model-definitions")),
            *(f"GET /gateway/{thing}/get" for thing in ("secrets", "endpoints", "model-definitions")),
            *(f"POST /gateway/{thing}/update" for thing in ("secrets", "endpoints", "model-definitions")),
            *(f"DELETE /gateway/{thing}/delete" for thing in ("secrets", "endpoints", "model-definitions")),
            *(f"GET /gateway/{thing}/list" for thing in ("secrets", "endpoints", "model-definitions")),
            "POST /gateway/endpoints/models/attach",
            "POST /gateway/endpoints/models/detach",
            "POST /gateway/endpoints/bindings/create",
            "DELETE /gateway/endpoints/bindings/delete",
            "GET /gateway/endpoints/bindings/list",
            "POST /gateway/endpoints/set-tag",
            "DELETE /gateway/endpoints/delete-tag",
            "POST /gateway/budgets/create",
            "GET /gateway/budgets/get",
            "POST /gateway/budgets/update",
            "DELETE /gateway/budgets/delete",
            "GET /gateway/budgets/list",
            "GET /gateway/budgets/windows",
            "POST /gateway/guardrails/create",
            "GET /gateway/guardrails/get",
            "DELETE /gateway/guardrails/delete",
            "GET /gateway/guardrails/list",
            "POST /gateway/guardrails/add-to-endpoint",
            "DELETE /gateway/guardrails/remove-from-endpoint",
            "GET /gateway/guardrails/list-for-endpoint",
            "PATCH /gateway/guardrails/update-config",
        ),
    ),
    Feature(
        "AI gateway",
        "",
        V2[1:],
        ("GET /gateway-proxy", "POST /gateway-proxy", "POST /runs/create-promptlab-run"),
    ),
    Feature(
        "prompt optimization",
        "",
        V3,
        (
            "POST /prompt-optimization/jobs",
            "GET /prompt-optimization/jobs/{job}",
            "POST /prompt-optimization/jobs/search",
            "GET /prompt-optimization/jobs/search",
            "POST /prompt-optimization/jobs/{job}/cancel",
            "DELETE /prompt-optimization/jobs/{job}",
        ),
    ),
    Feature(
        "webhooks",
        "",
        V2,
        (
            "POST /webhooks",
            "GET /webhooks",
            "GET /webhooks/{webhook}",
            "PATCH /webhooks/{webhook}",
            "DELETE /webhooks/{webhook}",
            "POST /webhooks/{webhook}/test",
        ),
    ),
    Feature(
        "upload from MLflow's pages",
        "",
        V2[1:],
        ("POST /upload-artifact",),
    ),
    Feature("features of the server", "", V3[:1], ("GET /server-features",)),
)

_LIST = "docs/mlflow.md lists what is supported and what is not"


def unsupported_routes() -> list[Route]:
    """Routes that say that they are not there, with status 501."""
    return [
        route
        for feature in FEATURES
        for call in feature.calls
        for route in twins(
            call.partition(" ")[0],
            call.partition(" ")[2],
            Permission.READ,
            _refusing(feature),
            f"Not supported: {feature.name}.",
            prefixes=feature.prefixes,
            raw_body=True,
        )
    ]


def _refusing(feature: Feature) -> Endpoint:
    words = f"{feature.words}: " if feature.words else ""

    async def refuse(call: Call) -> NoReturn:
        raise Refused(501, f"{words}Trimtab does not support {feature.name}; {_LIST}", "NOT_IMPLEMENTED")

    return refuse
