"""A shadow beside the champion on the same rows: how far answers lie apart, and which outcomes bear out."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.bundle import Manifest
from trimtab.engine.work import Work
from trimtab.loop.release.policy import Policy
from trimtab.rows.served_row import answer_matrix, truth_codes, truth_values
from trimtab.stats.betting import shadow_verdict
from trimtab.stats.metric.brier import brier_rows

_VERDICTS = {"no-worse": Verdict.PASS, "worse": Verdict.FAIL, "cannot-tell": Verdict.UNSURE}


def judge_agreement(
    work: Work, paired: pl.DataFrame, manifest: Manifest, challenger: str, champion: str, rules: Artifact
) -> None:
    """Judge that a shadow's answers are numbers; how far they differ is said, and is no fault by itself.

    A model that learnt from a changed world must differ. Whether it is better was judged on held-out rows.
    """
    theirs, ours = _answers(paired, manifest)
    apart = np.abs(ours - theirs) if ours.ndim == 1 else np.abs(ours - theirs).max(axis=1, initial=0.0)
    broken = int((~np.isfinite(ours).reshape(paired.height, -1 if paired.height else 1).all(axis=1)).sum())
    finite = apart[np.isfinite(apart)]
    mean = float(finite.mean()) if finite.size else None
    if not paired.height:
        verdict, says = Verdict.UNSURE, "no row was answered by both champion and shadow"
    elif broken:
        verdict, says = (
            Verdict.FAIL,
            f"{broken:,} of {paired.height:,} shadow answers are missing or not finite",
        )
    else:
        verdict = Verdict.PASS
        far = f"they differ from the champion's by {mean or 0:.3g} on average"
        says = f"all {paired.height:,} shadow answers are finite; {far}"
    work.judge(
        "shadow.agreement",
        rules,
        challenger,
        baseline=champion,
        reading=Reading(value=mean, unit="mean difference of answers", n=paired.height),
        limit=Limit(),
        verdict=verdict,
        says=says,
    )


def judge_shadow_quality(
    work: Work,
    paired: pl.DataFrame,
    manifest: Manifest,
    challenger: str,
    champion: str,
    rules: Artifact,
    policy: Policy,
) -> None:
    """Judge a shadow by the outcomes that came meanwhile; nothing is recorded where none did."""
    differences = _loss_differences(paired, manifest)
    if not differences.size:
        return
    word = shadow_verdict(differences, policy.shadow_margin)
    mean = float(differences.mean())
    worse = "worse" if mean > 0 else "better"
    work.judge(
        "shadow.quality",
        rules,
        challenger,
        baseline=champion,
        reading=Reading(value=mean, unit="loss of the shadow - loss of the champion", n=differences.size),
        limit=Limit(at_most=policy.shadow_margin),
        verdict=_VERDICTS[word],
        says=f"on {differences.size:,} outcomes the shadow's loss is {worse} by {abs(mean):.3g}: {word}",
    )


def _answers(paired: pl.DataFrame, manifest: Manifest) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The champion's and the shadow's answers."""
    shadow = paired.select(
        pl.col(name).alias(name.removesuffix("_shadow"))
        for name in paired.columns
        if name.endswith("_shadow")
    )
    classes = len(manifest.classes)
    if not paired.height:
        empty = np.empty((0, classes)) if classes else np.empty(0)
        return empty, empty
    return answer_matrix(paired, classes), answer_matrix(shadow, classes)


def _loss_differences(paired: pl.DataFrame, manifest: Manifest) -> NDArray[np.float64]:
    """Shadow's loss less champion's on each row with an outcome, in [-1, 1].

    Classification: the Brier score over its bound. Regression: 1 where the champion is nearer, -1 where the
    shadow is: absolute errors have no bound.
    """
    known = paired.filter(pl.col("truth").is_not_null())
    if not known.height:
        return np.empty(0)
    theirs, ours = _answers(known, manifest)
    if manifest.classes:
        codes = truth_codes(known.get_column("truth"), manifest.classes)
        bound = 1.0 if len(manifest.classes) == 2 else 2.0
        difference = (brier_rows(codes, ours) - brier_rows(codes, theirs)) / bound
    else:
        truth = truth_values(known.get_column("truth"))
        difference = np.sign(np.abs(ours - truth) - np.abs(theirs - truth))
    return np.clip(difference[np.isfinite(difference)], -1.0, 1.0)
