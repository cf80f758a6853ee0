"""The registry: registered models, their versions, aliases, tags and stages, as a fold of the ledger."""

from trimtab.engine.store import Store


class Registry:
    """Registered models. What clients stored stands beside what the pipeline registered; only the latter is served."""

    def __init__(self, store: Store) -> None:
        self._store = store
