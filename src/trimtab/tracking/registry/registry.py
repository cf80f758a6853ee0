"""The registry: registered models, their versions, aliases, tags and stages, as a fold of the ledger."""

from trimtab.engine.store import Store
from trimtab.tracking.file import Files
from trimtab.tracking.logged_model import LoggedModels
from trimtab.tracking.registry.book import Book
from trimtab.tracking.registry.model_shelf import RegisteredModels
from trimtab.tracking.registry.version_shelf import ModelVersions
from trimtab.tracking.registry.version_source import VersionSources
from trimtab.tracking.run import Runs


class Registry:
    """Registered models. What clients stored stands beside what the pipeline registered; only the latter is served.

    Every reading sees all that was acknowledged before it, by whichever process. Any number of threads may use it.
    """

    def __init__(self, store: Store, runs: Runs, logged_models: LoggedModels, files: Files) -> None:
        book = Book(store)
        self.models = RegisteredModels(book)
        self.versions = ModelVersions(book, VersionSources(book, runs, logged_models, files))
