"""Lineage: what a thing was made from and what it led to, over took, made, judged and because."""

from collections import deque
from typing import NamedTuple

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


class Edge(msgspec.Struct, kw_only=True):
    """One step in the direction of time: `source` came first."""

    source: str
    target: str
    #: Artifact to Action: `took`; Action to artifact: `made`; Action to Check: `judged`;
    #: artifact to Check: `about`; Check to Action: `because`.
    relation: str
    #: Of `took` and `about`: the Action that had made the artifact last (the same content may be made again).
    maker: str = ""


class Step(NamedTuple):
    """One step away from a record."""

    edge: Edge
    #: Where it leads.
    to: str
    #: The making of that artifact by which it leads there; None where it is no artifact or all makings count.
    making: str | None


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """Everything reached from one record, nearest first."""

    root: str
    nodes: list[Node]
    edges: list[Edge]


class Links:
    """Every edge of a ledger, in both directions."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        #: Nine records of ten: each becomes a node when it is asked for.
        self._checks: dict[str, Check] = {}
        self._down: dict[str, list[Edge]] = {}
        self._up: dict[str, list[Edge]] = {}
        self._maker: dict[str, str] = {}
        #: Edges to Checks whose Closing, which may have made their subject, is still to come.
        self._fresh: dict[str, Edge] = {}

    def take(self, record: Record) -> None:
        """Take the next record of the ledger."""
        if isinstance(record, Artifact):
            self._nodes[record.id] = Node(id=record.id, sort="artifact", kind=record.kind)
        elif isinstance(record, Check):
            self._checks[record.id] = record
            self._fresh[record.id] = self._add(record.subjects.candidate, record.id, "about")
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
        check = self._checks.get(record_id)
        if check is None:
            return self._nodes.get(record_id)
        return Node(
            id=check.id,
            sort="check",
            kind=check.name,
            label=check.verdict.value,
            says=check.says,
            at=check.at,
        )

    def down(self, record_id: str) -> list[Edge]:
        """Edges to what came of the record directly."""
        return self._down.get(record_id, [])

    def up(self, record_id: str) -> list[Edge]:
        """Edges from what the record came of directly."""
        return self._up.get(record_id, [])

    def steps(self, record_id: str, making: str | None, *, upward: bool) -> list[Step]:
        """The steps from a record, up to what it came of or down to what it led to.

        Args:
            making: For an artifact that was reached through one of its makings: only that one counts. A plan
                that a roll-back put in force again leads to what followed the roll-back, not before.
        """
        steps = []
        for edge in self.up(record_id) if upward else self.down(record_id):
            if edge.relation == "made":
                if upward and making in (None, edge.source):
                    steps.append(Step(edge, edge.source, None))
                elif not upward:
                    steps.append(Step(edge, edge.target, edge.source))
            elif edge.relation in ("took", "about"):
                if upward:
                    steps.append(Step(edge, edge.source, edge.maker or None))
                elif not making or not edge.maker or edge.maker == making:
                    steps.append(Step(edge, edge.target, None))
            else:
                steps.append(Step(edge, edge.source if upward else edge.target, None))
        return steps

    def graph(self, root: str, *, upward: bool) -> Graph:
        """Everything that `root` came of (upward) or led to, nearest first; `root` is the first node."""
        seen: set[tuple[str, str | None]] = {(root, None)}
        waiting = deque(seen)
        nodes: dict[str, Node] = {}
        edges: dict[int, Edge] = {}
        while waiting:
            here, making = waiting.popleft()
            node = self.node(here)
            if node is not None:
                nodes[here] = node
            for edge, to, of_it in self.steps(here, making, upward=upward):
                edges[id(edge)] = edge
                if (to, of_it) not in seen:
                    seen.add((to, of_it))
                    waiting.append((to, of_it))
        return Graph(root=root, nodes=list(nodes.values()), edges=list(edges.values()))

    def nearest(self, root: str, kind: str) -> str | None:
        """The nearest record of this kind that `root` came of, or None."""
        return next((node.id for node in self.graph(root, upward=True).nodes[1:] if node.kind == kind), None)

    def _close(self, closing: Closing) -> None:
        for made in closing.made:
            self._add(closing.action, made, "made")
            self._maker[made] = closing.action
        for check in closing.judged:
            self._add(closing.action, check, "judged")
            about = self._fresh.get(check)
            if about is not None and about.source in closing.made:
                about.maker = closing.action
        self._fresh.clear()
        node = self._nodes.get(closing.action)
        if node is not None:
            says = closing.note or node.says
            if closing.outcome.value != "done":
                says = f"{closing.outcome.value}: {says}"
            self._nodes[closing.action] = msgspec.structs.replace(node, says=says)

    def _add(self, source: str, target: str, relation: str) -> Edge:
        maker = self._maker.get(source, "") if relation in ("took", "about") else ""
        edge = Edge(source=source, target=target, relation=relation, maker=maker)
        for way, here in ((self._down, source), (self._up, target)):
            edges = way.get(here)
            if edges is None:
                way[here] = [edge]
            else:
                edges.append(edge)
        return edge


def links_of(store: Store) -> Links:
    """The edges of a whole ledger."""
    links = Links()
    for entry in store.ledger.entries():
        links.take(entry.record)
    return links


def links_in(graph: Graph) -> Links:
    """The edges of a graph that somebody else read: what its root came of, or led to."""
    links = Links()
    for node in graph.nodes:
        links._nodes[node.id] = node
    for edge in graph.edges:
        links._down.setdefault(edge.source, []).append(edge)
        links._up.setdefault(edge.target, []).append(edge)
    return links


def upstream(store: Store, record_id: str) -> Graph:
    """All that a record came of: the data, code and decisions behind it."""
    return links_of(store).graph(record_id, upward=True)


def downstream(store: Store, record_id: str) -> Graph:
    """All that a record led to: what was made from it, how that was judged, what was decided for it."""
    return links_of(store).graph(record_id, upward=False)
