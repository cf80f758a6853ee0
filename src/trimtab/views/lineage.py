"""Lineage: what a thing was made from and what it led to, over took, made, judged and because."""

from collections import deque

import msgspec

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.entry import Record
from trimtab.engine.store import Store


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the graph."""

    id: str
    #: `artifact`, `check` or `action`.
    sort: str
    #: The artifact's or the Action's kind, or the Check's rule.
    kind: str
    #: Source or model of an Action, verdict of a Check.
    label: str = ""
    #: The sentence: why an Action was taken or how it ended, what a Check found.
    says: str = ""
    at: str = ""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the direction of time: `source` came first."""

    source: str
    target: str
    #: Artifact to Action: `took`; Action to artifact: `made`; Action to Check: `judged`;
    #: artifact to Check: `about`; Check to Action: `because`.
    relation: str


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """Everything reached from one record, nearest first."""

    root: str
    nodes: list[Node]
    edges: list[Edge]


class Links:
    """Every edge of a ledger, in both directions."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._down: dict[str, list[Edge]] = {}
        self._up: dict[str, list[Edge]] = {}

    def take(self, record: Record) -> None:
        """Take the next record of the ledger."""
        if isinstance(record, Artifact):
            self._nodes[record.id] = Node(id=record.id, sort="artifact", kind=record.kind)
        elif isinstance(record, Check):
            self._nodes[record.id] = Node(
                id=record.id,
                sort="check",
                kind=record.name,
                label=record.verdict.value,
                says=record.says,
                at=record.at,
            )
            self._add(record.subjects.candidate, record.id, "about")
        elif isinstance(record, Action):
            self._nodes[record.id] = Node(
                id=record.id,
                sort="action",
                kind=record.kind,
                label=record.subject,
                says=record.note,
                at=record.at,
            )
            for taken in record.took:
                self._add(taken, record.id, "took")
            for check in record.because:
                self._add(check, record.id, "because")
        else:
            self._close(record)

    def node(self, record_id: str) -> Node | None:
        """The node of a record."""
        return self._nodes.get(record_id)

    def down(self, record_id: str) -> list[Edge]:
        """Edges to what came of the record directly."""
        return self._down.get(record_id, [])

    def up(self, record_id: str) -> list[Edge]:
        """Edges from what the record came of directly."""
        return self._up.get(record_id, [])

    def graph(self, root: str, *, upward: bool) -> Graph:
        """Everything that `root` came of (upward) or led to, nearest first; `root` is the first node."""
        seen = {root}
        waiting = deque([root])
        nodes, edges = [], []
        while waiting:
            here = waiting.popleft()
            node = self._nodes.get(here)
            if node is not None:
                nodes.append(node)
            for edge in self.up(here) if upward else self.down(here):
                edges.append(edge)
                other = edge.source if upward else edge.target
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return Graph(root=root, nodes=nodes, edges=edges)

    def nearest(self, root: str, kind: str) -> str | None:
        """The nearest record of this kind that `root` came of, or None."""
        return next((node.id for node in self.graph(root, upward=True).nodes[1:] if node.kind == kind), None)

    def _close(self, closing: Closing) -> None:
        for made in closing.made:
            self._add(closing.action, made, "made")
        for check in closing.judged:
            self._add(closing.action, check, "judged")
        node = self._nodes.get(closing.action)
        if node is not None:
            says = closing.note or node.says
            if closing.outcome.value != "done":
                says = f"{closing.outcome.value}: {says}"
            self._nodes[closing.action] = msgspec.structs.replace(node, says=says)

    def _add(self, source: str, target: str, relation: str) -> None:
        edge = Edge(source=source, target=target, relation=relation)
        self._down.setdefault(source, []).append(edge)
        self._up.setdefault(target, []).append(edge)


def links_of(store: Store) -> Links:
    """The edges of a whole ledger."""
    links = Links()
    for entry in store.ledger.entries():
        links.take(entry.record)
    return links


def upstream(store: Store, record_id: str) -> Graph:
    """All that a record came of: the data, code and decisions behind it."""
    return links_of(store).graph(record_id, upward=True)


def downstream(store: Store, record_id: str) -> Graph:
    """All that a record led to: what was made from it, how that was judged, what was decided for it."""
    return links_of(store).graph(record_id, upward=False)
