"""A model: what training made, with everything needed to make it again."""

from typing import Any, ClassVar

import msgspec

from trimtab.atoms.content.content import Content, Part
from trimtab.atoms.content.encoding import Encoding


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Where the model was trained, as far as it can change the result."""

    python: str
    platform: str
    #: Installed packages by name: version.
    packages: dict[str, str]
    git_commit: str | None = None
    #: SHA-256 of `git diff HEAD`, None where the tree is clean or there is no git.
    git_diff: str | None = None


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the project's own code, so that a bundle computes features with the code it was trained with."""

    #: Dotted module name inside the project: `project`, `helpers.time`.
    module: str
    text: Part


class Model(Content, frozen=True, kw_only=True):
    """A trained estimator, not yet compiled."""

    kind: ClassVar[str] = "model"

    name: str
    #: `classification` or `regression`.
    task: str
    #: JSON values of the target in the order of the probabilities; empty for regression.
    classes: tuple[Any, ...]
    encoding: Encoding
    #: The estimator in the skops format.
    estimator: Part
    parameters: dict[str, Any]
    seed: int
    #: Digest of the training and feature code.
    code: str
    files: tuple[SourceFile, ...]
    environment: Environment
    rows_train: int
    rows_holdout: int
    #: Event time from which rows were held out (UTC ISO 8601); None where rows are held out by their key's digest.
    holdout_from: str | None = None
    #: Share of rows held out, in (0, 1).
    holdout_share: float = 0.2
    #: Column that was learnt.
    target: str = ""
    #: Columns that name a row and say when it happened, where the source has them: the hold-out goes by them.
    key: str | None = None
    event_time: str | None = None


class TrainingFacts(msgspec.Struct, frozen=True):
    """The fields of a model that a list of runs shows; the others are passed over unread."""

    parameters: dict[str, Any]
    seed: int
    rows_train: int
    rows_holdout: int
    code: str
    environment: Environment
