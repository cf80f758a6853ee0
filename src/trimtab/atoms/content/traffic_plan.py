"""A traffic plan: which bundle answers which requests."""

from typing import ClassVar

from trimtab.atoms.content.content import Content


class TrafficPlan(Content, frozen=True, kw_only=True):
    """The split of one model's requests between champion and challenger."""

    kind: ClassVar[str] = "traffic-plan"

    model: str
    #: Artifact id of the bundle that answers by default; None only for `refused` first releases.
    champion: str
    #: Version number of the champion: 1, 2, 3 in the order of registration.
    champion_version: int
    challenger: str | None = None
    challenger_version: int | None = None
    #: `full` (champion alone), `shadow` (challenger answers are logged, not given) or `canary`.
    stage: str = "full"
    #: Share of requests that the challenger answers, in [0, 1]; 0 in shadow.
    share: float = 0.0
