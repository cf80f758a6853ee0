"""What a thing was made from, where a step needs to know."""

from trimtab.assembly.session import Session
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.error import StoreError


def table_of(session: Session, trained: str) -> str:
    """Artifact id of the feature table that a model was trained on."""
    table = session.memory.links.nearest(trained, "feature-table")
    if table is None:
        raise StoreError(f"the ledger does not say which feature table model {trained[:12]} was trained on")
    return table


def snapshots_of(session: Session, table: str) -> dict[str, str]:
    """Artifact ids of the snapshots that a feature table was made from, by source."""
    links = session.memory.links
    taken = [
        edge.source
        for made in links.up(table)
        if made.relation == "made"
        for edge in links.up(made.source)
        if edge.relation == "took" and session.store.artifact(edge.source).kind == "snapshot"
    ]
    return {session.store.read(snapshot, Snapshot).source: snapshot for snapshot in taken}
