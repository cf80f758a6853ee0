"""The registry: registered models, their versions, aliases, tags and stages, as a fold of the ledger."""

from trimtab.tracking.registry.registry import Registry

__all__ = ["Registry"]
