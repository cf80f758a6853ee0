"""Registered models: made, changed, found, and what their aliases meant when."""

from trimtab.atoms.actor import Actor
from trimtab.atoms.content.change import Change
from trimtab.atoms.error import Conflict, NotThere
from trimtab.tracking.registry.book import Book
from trimtab.tracking.registry.registered_model import Placement, RegisteredModel
from trimtab.tracking.registry.rule import (
    require_alias,
    require_description,
    require_name,
    require_stored,
    require_tags,
)
from trimtab.tracking.registry.stored_fold import MODEL


class RegisteredModels:
    """The names. What the pipeline makes is among them and can only be read: Conflict says how it is changed."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def create(
        self, name: str, *, by: Actor, description: str = "", tags: dict[str, str] | None = None
    ) -> RegisteredModel:
        """Make a registered model without versions.

        Raises:
            UsageError: The name or a tag breaks a rule: the message names it.
            Conflict: There is one of this name.
        """
        require_name(name)
        require_tags(tags or {})
        require_description(description)
        if self._find(name) is not None:
            raise Conflict(f"there is a registered model {name!r} already")
        self._decide(name, "create", {"description": description, "tags": tags or {}}, by)
        return self.find(name)

    def change(
        self,
        name: str,
        *,
        by: Actor,
        new_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str | None] | None = None,
    ) -> RegisteredModel:
        """Change what is given; a tag that is None goes.

        Raises:
            NotThere: No registered model has this name.
            Conflict: Another one has the new name.
        """
        self._stored(name)
        values: dict[str, object] = {}
        if tags:
            require_tags(tags)
            values["tags"] = tags
        if description is not None:
            require_description(description)
            values["description"] = description
        if values:
            self._decide(name, "change", values, by)
        if new_name is None or new_name == name:
            return self.find(name)
        require_name(new_name)
        if self._find(new_name) is not None:
            raise Conflict(f"there is a registered model {new_name!r} already")
        self._decide(name, "rename", {"to": new_name}, by)
        return self.find(new_name)

    def delete(self, name: str, *, by: Actor) -> None:
        """Take a registered model and its versions away; their numbers are not given again. NotThere."""
        self._stored(name)
        self._decide(name, "delete", {}, by)

    def set_alias(self, name: str, alias: str, number: int | None, *, by: Actor) -> None:
        """Let an alias mean a version; None: nothing any more, which is no error where it meant nothing.

        Raises:
            NotThere: No registered model has this name, or no version this number.
            UsageError: The alias breaks a rule.
        """
        model = self._stored(name)
        require_alias(alias)
        if number is None:
            if alias in model.aliases:
                self._decide(name, "drop-alias", {"alias": alias}, by)
            return
        if all(version.number != number for version in model.versions):
            raise NotThere(f"registered model {name!r} has no version {number}")
        if model.aliases.get(alias) != number:
            self._decide(name, "set-alias", {"alias": alias, "number": number}, by)

    def find(self, name: str) -> RegisteredModel:
        """The registered model of this name; NotThere."""
        model = self._find(name)
        if model is None:
            raise NotThere(f"no registered model {name!r}")
        return model

    def all(self) -> list[RegisteredModel]:
        """Every registered model, by name."""
        models = self._book.read(lambda stored, pipeline: stored.all() + pipeline.all())
        return sorted(models, key=lambda model: model.name)

    def history(self, name: str) -> list[Placement]:
        """Which version each alias and stage meant and when, by whose decision, oldest first; NotThere."""
        self.find(name)
        return self._book.read(lambda stored, pipeline: pipeline.history(name) or stored.history(name))

    def _find(self, name: str) -> RegisteredModel | None:
        return self._book.read(lambda stored, pipeline: pipeline.find(name) or stored.find(name))

    def _stored(self, name: str) -> RegisteredModel:
        model = self.find(name)
        require_stored(model)
        return model

    def _decide(self, name: str, does: str, values: dict[str, object], by: Actor) -> None:
        self._book.decide([Change(what=MODEL, id=name, does=does, values=values)], by=by, subject=name)
