"""A reference: the rows that a bundle was trained and held out on, to hold served rows against."""

from typing import ClassVar

from trimtab.atoms.content.content import Content
from trimtab.atoms.content.profile import Profile


class Reference(Content, frozen=True, kw_only=True):
    """A feature table over frozen bins, whole and cut into blocks of time: a past from the start."""

    kind: ClassVar[str] = "reference"

    model: str
    #: Artifact id of the bundle whose features these are.
    bundle: str
    #: All rows; its bins are the ones that every later profile of this bundle is counted over.
    whole: Profile
    #: In order of time; counted over the bins of `whole`, whose edges and categories they do not repeat.
    blocks: tuple[Profile, ...]
