"""The account: what the views say, as JSON values; the same for the command line, the API and the page."""

from collections.abc import Collection
from typing import Any

import msgspec

from trimtab.atoms.action import Action
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.content.content import Part
from trimtab.atoms.permission import Permission
from trimtab.views.access import permission_to_read
from trimtab.views.memory import Memory
from trimtab.views.name import resolve
from trimtab.views.timeline import Event

#: Content of more bytes is not shown whole.
CONTENT_SHOWN_BYTES = 65_536


def status_account(memory: Memory) -> dict[str, Any]:
    """Where everything stands: models, sources, stages, what runs, the last alarms."""
    return {
        "head": {"entries": memory.head[0], "chain": memory.head[1]},
        "models": {model: _model(memory, model) for model in memory.releases.models()},
        "sources": {source: _source(memory, source) for source in memory.spans.sources()},
        "stages": {state.verb: _stage(memory, state.verb) for state in memory.stages.all()},
        "running": [msgspec.to_builtins(action) for action in memory.timeline.running()],
        "alarms": [_event(event) for event in memory.timeline.recent(5, ("alert",))],
    }


def models_account(memory: Memory) -> dict[str, Any]:
    """Every version of every model, and the order in which versions became champion."""
    return {
        "models": {
            model: {
                "versions": [_plain(version) for version in memory.releases.versions(model)],
                "champions": memory.releases.champions(model),
                "releases": [_plain(state) for state in memory.releases.history(model)],
            }
            for model in memory.releases.models()
        }
    }


def runs_account(memory: Memory, model: str | None = None) -> dict[str, Any]:
    """Training runs, oldest first."""
    return {"runs": [_plain(run) for run in memory.trainings.all(model)]}


def lineage_account(memory: Memory, name: str) -> dict[str, Any]:
    """All that the record called `name` came of, and all that it led to.

    Raises:
        UsageError: The name means nothing, or several records.
    """
    root = resolve(memory, name)
    links = memory.links
    account = {
        "id": root,
        "up": _plain(links.graph(root, upward=True)),
        "down": _plain(links.graph(root, upward=False)),
    }
    if decision := memory.forgetting.of(root):
        account["forgotten"] = {**_plain(decision), "says": decision.says}
    return account


def record_account(
    memory: Memory, record_id: str, permissions: Collection[Permission] = (Permission.READ,)
) -> dict[str, Any]:
    """One record, what it is linked with directly, and an artifact's content where it is small.

    Args:
        permissions: Of whoever is shown it: what a decision about access set needs more than to read.

    Raises:
        StoreError: The content is not in the store.
    """
    record = memory.store.ledger.find(record_id)
    links = memory.links
    account: dict[str, Any] = {
        "id": record_id,
        "record": msgspec.to_builtins(record),
        "up": [_linked(memory, edge.source, edge.relation) for edge in links.up(record_id)],
        "down": [_linked(memory, edge.target, edge.relation) for edge in links.down(record_id)],
    }
    node = links.node(record_id)
    account["node"] = _plain(node) if node else None
    if decision := memory.forgetting.of(record_id):
        account["forgotten"] = {**_plain(decision), "says": decision.says}
    if isinstance(record, Artifact) and record.media_type == "application/json":
        if record.size_bytes <= CONTENT_SHOWN_BYTES:
            part = Part(blob=record.content, size_bytes=record.size_bytes)
            content = msgspec.json.decode(memory.store.part(part))
            needed = permission_to_read(record.kind, content)
            if needed in permissions:
                account["content"] = content
            else:
                account["content_left_out"] = f"it needs the permission {needed.value!r}"
        else:
            account["content_left_out"] = f"{record.size_bytes:,} bytes: more than is shown here"
    return account


def _linked(memory: Memory, record_id: str, relation: str) -> dict[str, Any]:
    node = memory.links.node(record_id)
    plain: dict[str, Any] = _plain(node) if node else {"id": record_id, "sort": "", "kind": "unknown"}
    return {"relation": relation, **plain}


def _model(memory: Memory, model: str) -> dict[str, Any]:
    state = memory.releases.plan(model)
    loss, bias = memory.quality.loss(model), memory.quality.bias(model)
    order = memory.retrains.open(model)
    windows = [
        window for window in memory.windows.of(model) if window.profile or "quality.loss" in window.checks
    ]
    return {
        "champion": state.plan.champion_version if state else None,
        "bundle": state.plan.champion if state else None,
        "champion_since": _champion_since(memory, model),
        "plan_since": state.since if state else None,
        "stage": state.plan.stage if state else None,
        "challenger": state.plan.challenger_version if state else None,
        "share": state.plan.share if state else 0.0,
        "versions": len(memory.releases.versions(model)),
        "windows": len(windows),
        "last_window": windows[-1].span if windows else None,
        "loss": _plain(loss[-1]) if loss else None,
        "bias": _plain(bias[-1]) if bias else None,
        "retrain": _plain(order) if order else None,
        "retrains": [_plain(each) for each in memory.retrains.all(model)],
    }


def _champion_since(memory: Memory, model: str) -> str | None:
    """When the champion's present reign began."""
    since = None
    history = memory.releases.history(model)
    for state in reversed(history):
        if state.plan.champion != history[-1].plan.champion:
            break
        since = state.since
    return since


def _source(memory: Memory, source: str) -> dict[str, Any]:
    states = memory.spans.state(source).values()
    return {
        "snapshot": memory.spans.snapshot(source),
        "schema": memory.spans.schema(source),
        "spans": len(states),
        "rows": sum(state.rows for state in states),
        "last_span": max((state.span for state in states), default=None),
        "unvalidated": [state.span for state in states if not state.validated],
        "quarantined": [
            {"span": state.span, "because": [_check_in_short(memory, check) for check in state.because]}
            for state in states
            if state.quarantined
        ],
    }


def _stage(memory: Memory, verb: str) -> dict[str, Any]:
    state = memory.stages.of(verb)
    return {
        "verdict": state.verdict.value if state.verdict else None,
        "last": {"id": state.last.id, "kind": state.last.kind, "at": state.last.at} if state.last else None,
        "outcome": state.ended.outcome.value if state.ended else None,
        "done": state.done,
        "failed": state.failed,
        "abandoned": state.abandoned,
        "checks": {verdict.value: count for verdict, count in state.checks.items()},
    }


def _check_in_short(memory: Memory, check_id: str) -> dict[str, Any]:
    check = memory.store.ledger.find(check_id)
    if not isinstance(check, Check):
        return {"id": check_id}
    return {"id": check.id, "rule": check.name, "verdict": check.verdict.value, "says": check.says}


def _event(event: Event) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(event.record)
    if isinstance(event.record, Action):
        plain["closing"] = msgspec.to_builtins(event.closing) if event.closing else None
    return plain


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
