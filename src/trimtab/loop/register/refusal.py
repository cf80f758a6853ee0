"""A registration that was refused, with the judgements that refused it."""

from trimtab.atoms.check import Verdict
from trimtab.atoms.error import ModelRefused
from trimtab.engine.work import Work
from trimtab.loop.register.judgement import Judgement


class RegisterRefused(ModelRefused):
    """A model that does not become a bundle; nothing was made.

    A step that raises records no Checks: `record_refusal` puts them into the ledger by a step of its own.
    """

    def __init__(self, model_id: str, settings: dict[str, float], judgements: list[Judgement]) -> None:
        super().__init__("; ".join(f"{each.rule}: {each.says}" for each in _failed(judgements)))
        self.model_id = model_id
        self.settings = settings
        self.judgements = judgements


def refuse_failed(model_id: str, settings: dict[str, float], judgements: list[Judgement]) -> None:
    """Raise `RegisterRefused` where a judgement failed."""
    if _failed(judgements):
        raise RegisterRefused(model_id, settings, judgements)


def record_judgements(
    work: Work, model_id: str, settings: dict[str, float], judgements: list[Judgement]
) -> None:
    """Record judgements of a model as Checks of this step."""
    rules = work.rules("register", dict(settings))
    for judgement in judgements:
        work.judge(
            judgement.rule,
            rules,
            model_id,
            reading=judgement.reading,
            limit=judgement.limit,
            verdict=judgement.verdict,
            says=judgement.says,
        )


def record_refusal(work: Work, refused: RegisterRefused) -> None:
    """Record why a model was refused: the work of a step of kind `refuse`."""
    record_judgements(work, refused.model_id, refused.settings, refused.judgements)
    work.note = str(refused)


def _failed(judgements: list[Judgement]) -> list[Judgement]:
    return [judgement for judgement in judgements if judgement.verdict is Verdict.FAIL]
