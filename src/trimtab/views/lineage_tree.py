"""A lineage graph as a tree that a person can read: each record once, crowds of the like folded."""

from collections import Counter, deque
from dataclasses import dataclass, field

from trimtab.views.lineage import Links, Node

#: Siblings of one kind that are shown; the others are counted.
WIDE = 3

#: Decisions that change who answers: what most people look for.
TURNS = frozenset({"promote", "roll-back", "retrain", "quarantine", "refuse", "forget"})

#: What Checks were read from: shown with the Checks, and only in a whole tree.
_ASIDE = frozenset({"rules", "evidence"})

#: Things that replace each other, and by which Actions: a long succession becomes siblings, not a staircase.
_SUCCESSIONS = {
    "snapshot": frozenset({"ingest"}),
    "traffic-plan": frozenset({"shadow", "canary", "promote", "roll-back"}),
}


@dataclass(slots=True, eq=False)
class Branch:
    """A record, how it hangs on the one above it, and what hangs on it."""

    node: Node
    #: The edge's word; empty at the root.
    relation: str = ""
    branches: list["Branch"] = field(default_factory=list)
    #: Siblings left out, as sentences.
    folded: list[str] = field(default_factory=list)
    #: Decisions in it or below it.
    turns: int = 0
    #: What it hangs on; None at the root.
    above: "Branch | None" = None


def lineage_tree(links: Links, root: str, *, upward: bool, wide: int | None = WIDE) -> Branch:
    """The tree of nearest ways from `root`.

    Args:
        links: The edges.
        root: Id of a record that is there.
        upward: True: what it came of; False: what it led to.
        wide: Siblings of one kind to show, those first that lead to a decision; None: all.
    """
    top = Branch(node=_node(links, root))
    seen: set[tuple[str, str | None]] = {(root, None)}
    waiting: deque[tuple[Branch, str | None]] = deque([(top, None)])
    found = [top]
    while waiting:
        branch, making = waiting.popleft()
        for edge, to, of_it in links.steps(branch.node.id, making, upward=upward):
            if (to, of_it) not in seen:
                seen.add((to, of_it))
                child = Branch(node=_node(links, to), relation=edge.relation)
                child.above = _first_of(branch) if _succeeds(branch, child) else branch
                child.above.branches.append(child)
                waiting.append((child, of_it))
                found.append(child)
    # Children come after their parents in `found`: going backwards, each is finished before its parent is.
    for branch in reversed(found):
        branch.turns = (branch.node.kind in TURNS) + sum(child.turns for child in branch.branches)
        if wide is not None:
            _fold(branch, wide)
    return top


def _fold(branch: Branch, wide: int) -> None:
    crowds: dict[str, list[Branch]] = {}
    for child in branch.branches:
        if child.node.kind in _ASIDE:
            continue
        plain = child.node.sort == "check" and not child.branches and child.node.label != "FAIL"
        crowds.setdefault("checks" if plain else child.node.kind, []).append(child)
    kept: list[Branch] = []
    for kind, crowd in crowds.items():
        if kind == "checks":
            verdicts = Counter(child.node.label for child in crowd)
            said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
            branch.folded.append(f"checks: {said}")
            continue
        shown = sorted(crowd, key=lambda child: -child.turns)[:wide]
        kept.extend(shown)
        if len(crowd) > wide:
            branch.folded.append(f"{len(crowd) - wide} more {kind}")
    order = {child: place for place, child in enumerate(branch.branches)}
    branch.branches = sorted(kept, key=order.__getitem__)


def _succeeds(branch: Branch, child: Branch) -> bool:
    return child.node.kind in _SUCCESSIONS.get(branch.node.kind, ())


def _first_of(branch: Branch) -> Branch:
    """The first of the succession that `branch` belongs to."""
    deed = branch.above
    while deed is not None and deed.above is not None and deed.above.node.kind == branch.node.kind:
        branch, deed = deed.above, deed.above.above
    return branch


def _node(links: Links, record_id: str) -> Node:
    return links.node(record_id) or Node(id=record_id, sort="artifact", kind="unknown")
