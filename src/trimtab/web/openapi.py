"""The API's document (OpenAPI 3.1), made of the routes that answer: it cannot say what they do not."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, get_type_hints

import msgspec

from trimtab import __version__
from trimtab.web.access.permission import GIVES, Permission
from trimtab.web.route import Call, Response, Route

PATH = "/api/v1/openapi.json"
_REF = "#/components/schemas/{name}"
_NAME = re.compile(r"\{(\w+)(:path)?\}")

Json = dict[str, Any]

#: What any call may be answered, and what only those may that change something.
_ALWAYS = (400, 401, 403, 404, 503)
_WRITING = (408, 409, 413, 415, 422)
#: MLflow's protocol: what is not spoken here says so.
_FOREIGN = (409, 413, 415, 501)
_SAYS = {
    400: "Something in the request does not fit; the detail names it.",
    401: "A token is needed, and none that lives was shown.",
    403: "The token does not allow this, or the host or origin is a foreign one.",
    404: "It is not there, or the token is another project's.",
    408: "The body stopped coming.",
    409: "What is there contradicts what was asked for.",
    413: "The body is longer than is taken here.",
    415: "The body is not of the media type that is taken here.",
    422: "The Idempotency-Key came before with another request.",
    501: "This part of the protocol is not spoken here.",
    503: "Too much is under way, or the store cannot be read or written: come back after Retry-After.",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    #: What happened and what to do.
    detail: str
    request_id: str


class MlflowError(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal as MLflow's clients read it."""

    error_code: str
    message: str
    request_id: str


def openapi_route(routes: Sequence[Route]) -> Route:
    """The route that answers with the document of these routes, and of itself."""

    @cache
    def written() -> bytes:
        return msgspec.json.encode(document([*routes, route]))

    def answer(call: Call) -> Response:
        return Response(written(), media_type="application/json", headers={"cache-control": "no-cache"})

    route = Route("GET", PATH, Permission.READ, answer, "This document.", answer=dict[str, Any])
    return route


def document(routes: Iterable[Route]) -> Json:
    """The document of the routes that want to be in it.

    Answers are described strictly: every field that is always there is required, and there are no others.
    """
    listed = [route for route in routes if route.documented]
    schemas, named = _schemas(listed)
    paths: Json = {}
    for route in listed:
        where = _NAME.sub(r"{\1}", route.path)
        paths.setdefault(where, {})[route.method.lower()] = _operation(route, schemas, listed)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trimtab control plane",
            "version": __version__,
            "description": (
                "Views of the loop, experiments and runs. NaN and the infinities are the strings NaN, Infinity and "
                "-Infinity. Lists come in pages: give `after` of one page for the next, until it is empty."
            ),
        },
        "paths": paths,
        "components": {
            "schemas": named,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `trimtab token create`. None is needed on this machine, unless "
                    'the setting `auth` is "always".',
                }
            },
        },
    }


def _operation(route: Route, schemas: dict[Any, Json], listed: Sequence[Route]) -> Json:
    operation: Json = {
        "operationId": _id(route),
        "summary": route.summary,
        "description": _description(route),
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)],
        "responses": {"200": _success(route, schemas) | _links(route, listed), **_refusals(route, schemas)},
        "security": [] if route.permission is Permission.OPEN else [{}, {"token": []}],
    }
    if route.body is not None:
        required = any(field.required for field in msgspec.structs.fields(route.body))
        operation["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": schemas[route.body]}},
        }
    elif route.raw_body:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    return operation


def _description(route: Route) -> str:
    assert route.permission is not None
    said = [_permission(route.permission)]
    if route.body is not None or route.raw_body:
        said.append(f"The body has at most {route.most_bytes:,} bytes.")
    if route.method != "GET" and route.errors == "problem":
        said.append(
            "With an Idempotency-Key, the same call again gets the same answer and does nothing more."
        )
    return " ".join(said)


def _permission(permission: Permission) -> str:
    if permission is Permission.OPEN:
        return "For everybody."
    roles = [role.value for role, given in GIVES.items() if permission in given]
    return f"Needs the permission `{permission.value}`, which these roles give: {', '.join(roles)}."


def _path_parameters(route: Route) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
            **({"description": "May hold slashes."} if rest else {}),
        }
        for name, rest in _NAME.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[Json]:
    if route.query is None:
        return []
    hints = get_type_hints(route.query, include_extras=True)
    found = []
    for field in msgspec.structs.fields(route.query):
        schema = _inlined(hints[field.name])
        parameter: Json = {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "schema": schema,
        }
        if isinstance(field.default, str | int | bool) and field.default != "":
            schema["default"] = field.default
        found.append(parameter)
    return found


def _header_parameters(route: Route) -> list[Json]:
    if route.method == "GET" or route.errors != "problem":
        return []
    pattern = {"type": "string", "pattern": "^[!-~]{1,128}$"}
    return [{"name": "Idempotency-Key", "in": "header", "required": False, "schema": pattern}]


def _inlined(hint: Any) -> Json:
    """A query's type in place, without the null that stands for leaving it out."""
    (schema,), named = msgspec.json.schema_components([hint], ref_template=_REF)
    choices = schema.get("anyOf", [schema])
    choices = [each for each in choices if each != {"type": "null"}]
    resolved = [named[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in choices]
    plain: Json = resolved[0] if len(resolved) == 1 else {"anyOf": resolved}
    if "enum" in plain:
        plain["enum"] = [each for each in plain["enum"] if each is not None]
    return plain


def _success(route: Route, schemas: dict[Any, Json]) -> Json:
    if route.answer is None:
        return {
            "description": "The bytes.",
            "content": {"application/octet-stream": {"schema": {}}},
        }
    return {"description": "Done.", "content": {"application/json": {"schema": schemas[_key(route.answer)]}}}


def _links(route: Route, listed: Sequence[Route]) -> Json:
    """Where one may go on with what was made: to every route below it that takes its id."""
    if (
        route.method != "POST"
        or not isinstance(route.answer, type)
        or "id" not in route.answer.__annotations__
    ):
        return {}
    below = re.compile(re.escape(route.path) + r"/\{(\w+)\}")
    links = {
        _id(other): {"operationId": _id(other), "parameters": {found[1]: "$response.body#/id"}}
        for other in listed
        if (found := below.match(other.path))
    }
    return {"links": links} if links else {}


def _refusals(route: Route, schemas: dict[Any, Json]) -> Json:
    foreign = route.errors == "mlflow"
    writing = route.method != "GET"
    statuses = sorted({*_ALWAYS, *(_FOREIGN if foreign else _WRITING if writing else ())})
    if foreign:
        content = {"application/json": {"schema": schemas[MlflowError]}}
    else:
        content = {"application/problem+json": {"schema": schemas[Problem]}}
    return {str(status): {"description": _SAYS[status], "content": content} for status in statuses}


def _schemas(routes: Sequence[Route]) -> tuple[dict[Any, Json], Json]:
    """The schema of each type that a body or an answer has, and those that they refer to, by name."""
    bodies = list(dict.fromkeys(route.body for route in routes if route.body is not None))
    answers = list(
        {_key(route.answer): route.answer for route in routes if route.answer is not None}.values()
    )
    kinds: list[Any] = [*bodies, *answers, Problem, MlflowError]
    said, named = msgspec.json.schema_components(kinds, ref_template=_REF)
    taken = {_named(kind) for kind in _structs(bodies)}
    for kind in _structs([*answers, Problem, MlflowError]):
        if _named(kind) not in taken and _named(kind) in named:
            _tighten(named[_named(kind)], kind)
    return {_key(kind): schema for kind, schema in zip(kinds, said, strict=True)}, named


def _tighten(schema: Json, kind: type[msgspec.Struct]) -> None:
    schema["additionalProperties"] = False
    if not kind.__struct_config__.omit_defaults:
        schema["required"] = [field.encode_name for field in msgspec.structs.fields(kind)]
    for shown in schema["properties"].values():
        shown.pop("default", None)


def _structs(kinds: Sequence[Any]) -> list[type[msgspec.Struct]]:
    """Every struct that is reached from these types."""
    found: dict[type[msgspec.Struct], None] = {}

    def look(value: Any) -> None:
        if isinstance(value, msgspec.inspect.StructType):
            if value.cls in found:
                return
            found[value.cls] = None
        if isinstance(value, list | tuple):
            for each in value:
                look(each)
        elif isinstance(value, msgspec.inspect.Type | msgspec.inspect.Field):
            for name in value.__struct_fields__:
                look(getattr(value, name))

    look(msgspec.inspect.multi_type_info(list(kinds)))
    return list(found)


def _named(kind: type[msgspec.Struct]) -> str:
    return kind.__name__


def _key(kind: Any) -> Any:
    """What a type is looked up by: a generic alias is no good key in every version of Python, its words are."""
    return kind if isinstance(kind, type) else str(kind)


def _id(route: Route) -> str:
    words = re.sub(r"\W+", "_", _NAME.sub(r"\1", route.path.removeprefix("/api/"))).strip("_")
    return f"{route.method.lower()}_{words}"
