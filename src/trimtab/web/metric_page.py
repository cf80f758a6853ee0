"""`/metrics` of the control plane, in Prometheus' text format."""

from collections.abc import Iterator

from trimtab.views.memory import Memory

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Samples = dict[tuple[tuple[str, str], ...], float]


def metric_page(memory: Memory) -> str:
    """Counts of the ledger, and how each model stands."""
    return "\n".join(_lines(memory)) + "\n"


def _lines(memory: Memory) -> Iterator[str]:
    releases, quality = memory.releases, memory.quality
    stages = memory.stages.all()
    yield from _family("trimtab_ledger_entries", "gauge", "Entries of the ledger.", {(): memory.head[0]})
    yield from _family(
        "trimtab_checks_total",
        "counter",
        "Checks judged, by stage and verdict.",
        {
            (("stage", state.verb), ("verdict", verdict.value)): count
            for state in stages
            for verdict, count in state.checks.items()
        },
    )
    yield from _family(
        "trimtab_actions_total",
        "counter",
        "Actions that ended, by stage and outcome.",
        {
            (("stage", state.verb), ("outcome", outcome)): count
            for state in stages
            for outcome, count in (
                ("done", state.done),
                ("failed", state.failed),
                ("abandoned", state.abandoned),
            )
        },
    )
    plans = {name: plan.plan for name in releases.models() if (plan := releases.plan(name)) is not None}
    champions: Samples = {_of(name): plan.champion_version for name, plan in plans.items()}
    yield from _family("trimtab_champion_version", "gauge", "Version that answers by default.", champions)
    shares: Samples = {_of(name): plan.share for name, plan in plans.items()}
    yield from _family(
        "trimtab_challenger_share", "gauge", "Share of requests the challenger answers.", shares
    )
    windows: Samples = {_of(name): len(memory.windows.of(name)) for name in releases.models()}
    yield from _family("trimtab_windows_total", "counter", "Windows sealed.", windows)
    for word, series in (("loss", quality.loss), ("bias", quality.bias)):
        newest: Samples = {
            _of(name): points[-1].value
            for name in releases.models()
            if (points := series(name)) and points[-1].value is not None
        }
        yield from _family(f"trimtab_{word}", "gauge", f"The champion's {word} in the newest window.", newest)
    spans: Samples = {
        (("source", source),): sum(state.quarantined for state in memory.spans.state(source).values())
        for source in memory.spans.sources()
    }
    yield from _family("trimtab_spans_quarantined", "gauge", "Spans in quarantine.", spans)


def _family(name: str, kind: str, says: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples.items():
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
        yield f"{name}{{{inside}}} {value}" if inside else f"{name} {value}"


def _of(model: str) -> tuple[tuple[str, str], ...]:
    return (("model", model),)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
