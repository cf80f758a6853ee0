"""What the first page shows, gathered from the views."""

from typing import Any

import msgspec

from trimtab.atoms.action import Action, Outcome
from trimtab.atoms.check import Check, Verdict
from trimtab.views.account import models_account, status_account
from trimtab.views.memory import Memory
from trimtab.views.timeline import Event
from trimtab.web.loop_picture import CARDS, loop_picture
from trimtab.web.quality_plot import quality_plot

#: Actions that only prepare or only look, and decide nothing by themselves.
_ROUTINE = frozenset(
    {
        "ingest",
        "validate",
        "materialize",
        "train",
        "evaluate",
        "register",
        "judge",
        "monitor",
        "weigh",
        "hold",
    }
    | {"operate"}
)

DECISIONS_SHOWN = 14
CHECKS_SHOWN = 12


class Decision(msgspec.Struct, kw_only=True):
    """An Action with its reasons; `times` counts like ones that followed each other."""

    action: Action
    outcome: str
    note: str
    reasons: list[Check]
    more_reasons: int = 0
    times: int = 1


def home(memory: Memory, models: list[str]) -> dict[str, Any]:
    """Everything the first page's template asks for."""
    stages = {card.verb: memory.stages.of(card.verb) for card in CARDS}
    notes = _notes(memory)
    status = status_account(memory)
    names = [*memory.releases.models(), *(name for name in models if name not in memory.releases.models())]
    return {
        "status": status,
        "loop": loop_picture(stages, notes),
        "loop_narrow": loop_picture(stages, notes, narrow=True),
        "models": [_model(memory, name, status["models"].get(name)) for name in names],
        "sources": [
            {"name": name, **facts, "states": list(memory.spans.state(name).values())}
            for name, facts in status["sources"].items()
        ],
        "decisions": decisions(memory, DECISIONS_SHOWN),
        "checks": [
            event.record for event in memory.timeline.recent(CHECKS_SHOWN, ("FAIL", "UNSURE", "BROKEN"))
        ],
        "verdicts": _verdicts(memory),
        "versions": models_account(memory)["models"],
        "runs": list(reversed(memory.trainings.all()))[:8],
        "concerns": concerns(memory),
    }


def decisions(memory: Memory, limit: int) -> list[Decision]:
    """The newest decisions with their reasons; like ones that follow each other are one."""
    found: list[Decision] = []
    for event in memory.timeline.actions(2000):
        action = event.record
        if not isinstance(action, Action) or (action.kind in _ROUTINE and not _failed(event)):
            continue
        last = found[-1] if found else None
        alike = last is not None and (last.action.kind, last.action.subject) == (action.kind, action.subject)
        if last is not None and alike and action.kind == "alert":
            last.times += 1
            continue
        if len(found) == limit:
            break
        found.append(_decision(memory, event, action))
    return found


def concerns(memory: Memory) -> list[str]:
    """What a person may want to look at now, in sentences; empty when all is calm."""
    said = []
    for name in memory.spans.sources():
        held = [state.span for state in memory.spans.state(name).values() if state.quarantined]
        if held:
            spans = ", ".join(held[-3:])
            said.append(f"{len(held)} span{'s' if len(held) > 1 else ''} of {name} in quarantine: {spans}")
    for model in memory.releases.models():
        for word, points in (("loss", memory.quality.loss(model)), ("bias", memory.quality.bias(model))):
            if points and points[-1].verdict in (Verdict.FAIL, Verdict.BROKEN):
                said.append(
                    f"{word} of {model} is {points[-1].verdict.value} in the newest window, {points[-1].span}"
                )
        state = memory.releases.plan(model)
        if state is not None and state.plan.stage != "full":
            said.append(f"release in flight: {model} v{state.plan.challenger_version} in {state.plan.stage}")
        order = memory.retrains.open(model)
        if order is not None:
            tried = f", {order.failures} steps failed" if order.failures else ""
            said.append(f"retrain {order.number} of {model} {order.outcome} ({order.reason}{tried})")
    return said


def _model(memory: Memory, name: str, status: dict[str, Any] | None) -> dict[str, Any]:
    loss, bias = memory.quality.loss(name), memory.quality.bias(name)
    history = memory.releases.history(name)
    return {
        "name": name,
        "status": status,
        "plan": memory.releases.plan(name),
        "plot": quality_plot(loss, bias, history),
        "plot_narrow": quality_plot(loss, bias, history, narrow=True),
        "retrains": list(reversed(memory.retrains.all(name)))[:4],
        "releases": list(reversed(history))[:12],
        "older_releases": max(len(history) - 12, 0),
    }


def _notes(memory: Memory) -> dict[str, str]:
    """Serving takes no Actions: its box tells who answers."""
    plans = [plan for model in memory.releases.models() if (plan := memory.releases.plan(model)) is not None]
    if not plans:
        return {}
    if len(plans) > 1:
        return {"serve": f"{len(plans)} models answer"}
    newest = plans[0].plan
    tried = f", v{newest.challenger_version} tried" if newest.challenger else ""
    return {"serve": f"v{newest.champion_version} answers{tried}"}


def _verdicts(memory: Memory) -> dict[str, int]:
    counts = dict.fromkeys((verdict.value for verdict in Verdict), 0)
    for state in memory.stages.all():
        for verdict, count in state.checks.items():
            counts[verdict.value] += count
    return counts


def _failed(event: Event) -> bool:
    return event.closing is not None and event.closing.outcome is not Outcome.DONE


def _decision(memory: Memory, event: Event, action: Action) -> Decision:
    reasons = [
        check for check in map(memory.store.ledger.find, action.because[:3]) if isinstance(check, Check)
    ]
    return Decision(
        action=action,
        outcome=event.closing.outcome.value if event.closing else "running",
        note=(event.closing.note if event.closing else "") or action.note,
        reasons=reasons,
        more_reasons=max(len(action.because) - 3, 0),
    )
