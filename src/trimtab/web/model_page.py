"""The pages of registered models: their list, and all about one, with what its aliases and stages meant when."""

from typing import Any

import jinja2

from trimtab.assembly.model_account import STORED
from trimtab.tracking.registry.pipeline_fold import BUNDLE_TAG, STATUS_TAG
from trimtab.tracking.registry.registered_model import ModelVersion, Placement, RegisteredModel, Stage
from trimtab.tracking.registry.rule import PROMPT_TAG
from trimtab.tracking.tracking import Tracking
from trimtab.views.elapsed import moment
from trimtab.web.access.permission import Permission
from trimtab.web.route import Call, Response, Route

#: Versions, and steps of the history, of one page: the newest.
MOST_VERSIONS, MOST_STEPS = 200, 200


def model_pages(tracking: Tracking, templates: jinja2.Environment) -> list[Route]:
    """Where the pages of registered models are."""
    pages = ModelPages(tracking, templates)
    read = Permission.READ
    return [
        Route("GET", "/models", read, pages.models, "Registered models.", documented=False),
        Route("GET", "/models/{name:path}", read, pages.model, "One registered model.", documented=False),
    ]


class ModelPages:
    """Renders the pages of registered models."""

    def __init__(self, tracking: Tracking, templates: jinja2.Environment) -> None:
        self._tracking, self._templates = tracking, templates

    def models(self, call: Call) -> Response:
        """Every registered model: the pipeline's, and those that clients stored."""
        found = self._tracking.registry.models.all()
        return self._html("models.html", models=[_head(model) for model in found if not _is_prompt(model)])

    def model(self, call: Call) -> Response:
        """All about one registered model."""
        models = self._tracking.registry.models
        model = models.find(call.path["name"])
        steps = models.history(model.name)
        newest = model.versions[: -MOST_VERSIONS - 1 : -1]
        return self._html(
            "model.html",
            model=_head(model),
            description=model.description,
            tags=sorted(model.tags.items()),
            versions=[_version(model, version) for version in newest],
            versions_left=len(model.versions) - len(newest),
            stored=STORED,
            steps=[_step(step) for step in steps[: -MOST_STEPS - 1 : -1]],
            steps_left=max(0, len(steps) - MOST_STEPS),
        )

    def _html(self, template: str, **facts: Any) -> Response:
        entries, chain = self._tracking.store.ledger.head()
        body = self._templates.get_template(template).render(
            head={"entries": entries, "chain": chain}, **facts
        )
        return Response(body, media_type="text/html", headers={"cache-control": "no-store"})


def _is_prompt(model: RegisteredModel) -> bool:
    return model.tags.get(PROMPT_TAG, "").lower() == "true"


def _head(model: RegisteredModel) -> dict[str, Any]:
    """What both pages say of a model first."""
    newest = model.versions[-1] if model.versions else None
    return {
        "name": model.name,
        "own": model.own,
        "by": _person(model.by),
        "aliases": sorted(model.aliases.items()),
        "versions": len(model.versions),
        "newest": newest.number if newest else None,
        "changed": moment(newest.created_ms if newest else model.updated_ms),
    }


def _version(model: RegisteredModel, version: ModelVersion) -> dict[str, Any]:
    aliases = model.aliases_of(version.number)
    status = version.tags.get(STATUS_TAG, "") if version.bundle else ""
    return {
        "number": version.number,
        "aliases": aliases,
        "stage": "" if version.stage is Stage.NONE else version.stage.value,
        "status": "" if status in aliases else status,
        "registered": moment(version.created_ms),
        "by": _person(version.by),
        "action": version.action,
        "run": version.run,
        "bundle": version.bundle,
        "files": version.files,
        "source": "" if version.bundle else version.source,
        "description": version.description,
        "tags": [(k, v) for k, v in sorted(version.tags.items()) if k not in (STATUS_TAG, BUNDLE_TAG)],
    }


def _step(step: Placement) -> dict[str, Any]:
    """A step of the history: what moved, from where, to where."""
    if step.alias:
        before, after = f"v{step.before}" if step.before else "", f"v{step.number}" if step.number else ""
        what = step.alias
    else:
        before, after, what = step.before, step.stage, f"v{step.number}"
        before, after = ("" if stage == Stage.NONE else stage for stage in (before, after))
    return {
        "at": step.at,
        "by": _person(step.by),
        "action": step.action,
        "what": what,
        "before": before or "none",
        "after": after or "none",
    }


def _person(by: str) -> str:
    return by.removeprefix("person:").removeprefix("policy:")
