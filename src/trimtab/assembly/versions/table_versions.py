"""Two versions of a table held against each other, span by span."""

from typing import Any

from trimtab.assembly.versions.data_version import Chosen
from trimtab.engine.store import Store
from trimtab.rows.table import read_table
from trimtab.rows.table_diff import TableDiff, diff_tables


def diff_versions(store: Store, before: Chosen, after: Chosen, *, sample: int = 5) -> TableDiff:
    """Compare the rows of two versions; spans that both share are not read."""
    was = {span.name: span.table for span in before.snapshot.spans if before.span in (None, span.name)}
    now = {span.name: span.table for span in after.snapshot.spans if after.span in (None, span.name)}
    rows = {span.table.blob: span.rows for span in after.snapshot.spans}
    shared = {part.blob for part in was.values()} & {part.blob for part in now.values()}
    snapshot = after.snapshot
    identity = [name for name in (snapshot.key, snapshot.event_time, snapshot.known_time) if name is not None]
    found = diff_tables(
        [(name, read_table(store.part(part))) for name, part in was.items() if part.blob not in shared],
        [(name, read_table(store.part(part))) for name, part in now.items() if part.blob not in shared],
        identity if snapshot.key is not None else (),
        sample=sample,
    )
    found.unchanged += sum(rows[blob] for blob in shared)
    return found


def account(found: TableDiff) -> dict[str, Any]:
    """The difference as JSON values."""
    return {
        "added": found.added,
        "removed": found.removed,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "columns": {
            "added": found.columns_added,
            "removed": found.columns_removed,
            "retyped": [{"name": name, "from": was, "to": now} for name, was, now in found.retyped],
        },
        "spans": {
            name: {"added": added, "removed": removed, "changed": changed}
            for name, (added, removed, changed) in found.spans.items()
        },
        "sample": found.sample,
    }
