"""Lineage: from a row's snapshot to a rolled-back release and back, and never against time."""

from trimtab.atoms.action import Action
from trimtab.testing.example_year import MODEL, SOURCE
from trimtab.views.lineage import downstream, upstream
from trimtab.views.lineage_tree import Branch, lineage_tree
from trimtab.views.memory import Memory


def branches(branch: Branch) -> list[Branch]:
    """The tree, flat."""
    return [branch, *(inner for each in branch.branches for inner in branches(each))]


def test_a_february_snapshot_leads_down_to_the_rolled_back_release(year: Memory) -> None:
    february = year.spans.first_with(SOURCE, "2013-02")
    assert february is not None
    kinds = {node.kind for node in downstream(year.store, february).nodes}
    assert {"promote", "roll-back", "retrain", "quality.loss", "window", "bundle"} <= kinds


def test_a_bundle_comes_of_its_data_and_of_the_failing_check(year: Memory) -> None:
    bundle = year.releases.versions(MODEL)[1].bundle
    graph = upstream(year.store, bundle)
    assert graph.nodes[0].id == bundle
    reached = {node.id for node in graph.nodes}
    assert year.spans.snapshots(SOURCE)[0] in reached
    assert {"retrain-order", "quality.loss", "train"} <= {node.kind for node in graph.nodes}


def test_nothing_comes_of_what_happened_later(year: Memory) -> None:
    """The roll-back put an old plan in force again: what it had led to before did not come of that."""
    moments = {
        entry.record.id: entry.seq
        for entry in year.store.ledger.entries()
        if isinstance(entry.record, Action)
    }
    for state in year.releases.history(MODEL):
        for node in year.links.graph(state.action, upward=True).nodes:
            if node.sort == "action":
                assert moments[node.id] <= moments[state.action], f"{node.kind} after {state.kind}"
        for node in year.links.graph(state.action, upward=False).nodes:
            if node.sort == "action":
                assert moments[node.id] >= moments[state.action], f"{node.kind} before {state.kind}"


def test_the_tree_folds_crowds_and_keeps_what_leads_to_a_decision(year: Memory) -> None:
    february = year.spans.first_with(SOURCE, "2013-02")
    assert february is not None
    tree = lineage_tree(year.links, february, upward=False)
    shown = branches(tree)
    assert len(shown) < 150
    assert {"promote", "roll-back", "retrain"} <= {branch.node.kind for branch in shown}
    assert any("more monitor" in folded for branch in shown for folded in branch.folded)
    whole = branches(lineage_tree(year.links, february, upward=False, wide=None))
    assert {branch.node.id for branch in whole} == {
        node.id for node in year.links.graph(february, upward=False).nodes
    }
    assert not any(branch.folded for branch in whole)


def test_a_succession_of_snapshots_is_no_staircase(year: Memory) -> None:
    newest = year.spans.snapshot(SOURCE)
    assert newest is not None

    def depth(branch: Branch) -> int:
        return 1 + max((depth(each) for each in branch.branches), default=0)

    assert depth(lineage_tree(year.links, newest, upward=True, wide=None)) == 3
