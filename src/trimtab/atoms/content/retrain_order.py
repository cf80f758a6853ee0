"""A retrain order: the trigger's decision that a new model is wanted."""

from typing import ClassVar

from trimtab.atoms.content.content import Content


class RetrainOrder(Content, frozen=True, kw_only=True):
    """Which model to train again, why, and on what."""

    kind: ClassVar[str] = "retrain-order"

    model: str
    #: `schedule`, `new data`, `failing check`, `code change`, `message` or `person`.
    reason: str
    #: The moment that the order speaks of, UTC ISO 8601: rows up to here may be used.
    as_of: str
    #: The trigger's count of orders for this model: 1, 2, 3 ...
    number: int
