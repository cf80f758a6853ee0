"""A stage's card: what it takes, gives, judges and decides. The engine holds every step to it."""

from dataclasses import dataclass

from trimtab.atoms.error import LawBroken

#: What any stage may give beside what its card says: the rules it judged by and the evidence it points to.
ALWAYS_GIVEN = ("rules", "evidence")


@dataclass(frozen=True, slots=True)
class Card:
    """The contract of one stage; docs, command line and page draw the loop from these."""

    #: The stage's name, its folder and its command.
    verb: str
    #: What it does, in a sentence for people.
    sentence: str
    #: Kinds of artifact that it may start from.
    takes: tuple[str, ...]
    #: Kinds of artifact that it may make.
    gives: tuple[str, ...]
    #: Names of the rules that it may judge by.
    judges: tuple[str, ...]
    #: Kinds of Action that it may take.
    decides: tuple[str, ...]
    #: Takes that come from outside the loop, such as a source's files; for the picture only.
    takes_from_outside: tuple[str, ...] = ()

    def allow_action(self, kind: str) -> None:
        """Raise `LawBroken` where the card does not decide `kind`."""
        self._allow("decides", kind, self.decides)

    def allow_taken(self, kind: str) -> None:
        """Raise `LawBroken` where the card does not take artifacts of this kind."""
        self._allow("takes", kind, self.takes)

    def allow_made(self, kind: str) -> None:
        """Raise `LawBroken` where the card does not give artifacts of this kind."""
        self._allow("gives", kind, self.gives + ALWAYS_GIVEN)

    def allow_judged(self, rule: str) -> None:
        """Raise `LawBroken` where the card does not judge by this rule."""
        self._allow("judges", rule, self.judges)

    def _allow(self, side: str, word: str, words: tuple[str, ...]) -> None:
        if word not in words:
            raise LawBroken(
                f"stage {self.verb!r} {side} {', '.join(words) or 'nothing'}; {word!r} is not on its card "
                f"(trimtab/loop/{self.verb}/__init__.py)"
            )
