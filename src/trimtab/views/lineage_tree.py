"""A lineage graph as a tree that a person can read: each record once, crowds of the like folded."""

from collections import Counter, deque
from dataclasses import dataclass, field

from trimtab.views.lineage import Links, Node

#: Siblings of one kind that are shown; the others are counted.
WIDE = 3

#: Decisions that change who answers: what most people look for.
TURNS = frozenset({"promote", "roll-back", "retrain", "quarantine", "refuse"})


@dataclass(slots=True)
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


def lineage_tree(links: Links, root: str, *, upward: bool, wide: int | None = WIDE) -> Branch:
    """The tree of nearest ways from `root`.

    Args:
        links: The edges.
        root: Id of a record that is there.
        upward: True: what it came of; False: what it led to.
        wide: Siblings of one kind to show, those first that lead to a decision; None: all.
    """
    top = Branch(node=_node(links, root))
    seen, waiting, found = {root}, deque([top]), [top]
    while waiting:
        branch = waiting.popleft()
        for edge in links.up(branch.node.id) if upward else links.down(branch.node.id):
            other = edge.source if upward else edge.target
            if other not in seen:
                seen.add(other)
                child = Branch(node=_node(links, other), relation=edge.relation)
                branch.branches.append(child)
                waiting.append(child)
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
        plain = child.node.sort == "check" and not child.branches and child.node.label != "FAIL"
        crowds.setdefault("checks" if plain else child.node.kind, []).append(child)
    kept: list[Branch] = []
    for kind, crowd in crowds.items():
        if kind == "checks":
            verdicts = Counter(child.node.label for child in crowd)
            said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
            branch.folded.append(f"{len(crowd)} {'check' if len(crowd) == 1 else 'checks'}: {said}")
            continue
        shown = sorted(crowd, key=lambda child: -child.turns)[:wide]
        kept.extend(shown)
        if len(crowd) > wide:
            branch.folded.append(f"{len(crowd) - wide} more {kind}")
    order = {id(child): place for place, child in enumerate(branch.branches)}
    branch.branches = sorted(kept, key=lambda child: order[id(child)])


def _node(links: Links, record_id: str) -> Node:
    return links.node(record_id) or Node(id=record_id, sort="artifact", kind="unknown")
