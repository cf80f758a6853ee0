"""A made-up year of one model: trained, served, drifting, retrained, once rolled back."""

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from trimtab.atoms.action import Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check, Limit, Reading, Verdict
from trimtab.atoms.content.bundle import Bundle, Manifest, Parity
from trimtab.atoms.content.encoding import ColumnEncoding, Encoding
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.model import Environment, Model, SourceFile
from trimtab.atoms.content.profile import Profile
from trimtab.atoms.content.retrain_order import RetrainOrder
from trimtab.atoms.content.schema import Schema
from trimtab.atoms.content.scorecard import Score, Scorecard
from trimtab.atoms.content.snapshot import Column, Snapshot, Span
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.content.window import ServedBy, Window
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store
from trimtab.testing.storyteller import Storyteller

MODEL, SOURCE = "late_arrival", "flights"
_COLUMNS = (Column(name="hour", dtype="Int64"), Column(name="carrier", dtype="String"))
_POLICY = "policy:example"


def example_year(store: Store, *, days: int = 200, seed: int = 7) -> None:
    """Write the year into an empty store.

    Args:
        store: Where to.
        days: Windows to tell; drift begins after a third of them, the bad candidate comes after two thirds.
        seed: Of the made-up readings.
    """
    _Year(store, seed).play(days)


@dataclass
class _Year:
    store: Store
    seed: int
    spans: list[Span] = field(default_factory=list)
    snapshot: Artifact | None = None
    profile: Artifact | None = None
    bundles: list[Artifact] = field(default_factory=list)
    trained: list[Artifact] = field(default_factory=list)
    plan: Artifact | None = None
    champion: int = 0
    orders: int = 0

    def __post_init__(self) -> None:
        self.tell = Storyteller(self.store, datetime(2013, 3, 1, tzinfo=UTC))
        self.random = random.Random(self.seed)

    def play(self, days: int) -> None:
        self._month("2013-01")
        self._month("2013-02")
        self._candidate(0.452)
        self._release("promote", champion=1, says="first version: nothing to compare with")
        drift, bad = days // 3, days * 2 // 3
        for day in range(days):
            self.tell.now = datetime(2013, 3, 2, tzinfo=UTC) + timedelta(days=day)
            if self.tell.now.day == 1:
                self._month(f"{self.tell.now - timedelta(days=1):%Y-%m}", broken=day > bad)
            judged = self._window(day, drifted=self.champion == 1 and day >= drift)
            if judged.verdict is Verdict.FAIL and day >= drift + 6 and len(self.bundles) == 1:
                self._retrain(judged, 0.431)
                self._climb(len(self.bundles))
            if day == bad:
                self._retrain(judged, 0.428)
                self._fall(len(self.bundles))

    def _month(self, name: str, *, broken: bool = False) -> None:
        rows = 27_000 + self.random.randrange(2000)
        self.spans.append(Span(name=name, rows=rows, table=self.tell.part(name.encode()), duplicates=0))
        snapshot = self.tell.thing(Snapshot(source=SOURCE, columns=_COLUMNS, spans=tuple(self.spans)))
        fresh = self.tell.judgement("ingest.freshness", snapshot, Verdict.PASS, f"{name} came in time")
        took = [self.snapshot.id] if self.snapshot else []
        self.tell.tell(
            "ingest", "ingest", SOURCE, took=took, made=[snapshot], judged=[fresh], note=f"{rows:,} rows"
        )
        self.snapshot = snapshot
        profile = self.tell.thing(Profile(subject=SOURCE, span=name, rows=rows, columns=()))
        made = [profile]
        if self.profile is None:
            made.append(self.tell.thing(Schema(source=SOURCE, columns=(), learnt_from=(name,))))
        missing = self.tell.judgement(
            "schema.missing",
            profile,
            Verdict.FAIL if broken else Verdict.PASS,
            f"carrier is missing in {'31' if broken else '0.2'} % of {name}; at most 1 % may be",
            reading=Reading(value=0.31 if broken else 0.002, n=rows),
            limit=Limit(at_most=0.01),
            about="carrier",
        )
        self.tell.tell("validate", "validate", SOURCE, took=[snapshot.id], made=made, judged=[missing])
        self.profile = profile
        if broken:
            subject = f"{SOURCE}/{name}"
            self.tell.tell(
                "validate", "quarantine", subject, by=_POLICY, took=[profile.id], because=[missing]
            )

    def _candidate(self, loss: float, order: Artifact | None = None) -> Check:
        assert self.snapshot is not None
        version = len(self.bundles) + 1
        table = self.tell.thing(
            FeatureTable(
                model=MODEL, spans=tuple(self.spans), features=_COLUMNS, target="late", code=f"code-{version}"
            )
        )
        self.tell.tell("featurize", "materialize", MODEL, took=[self.snapshot.id], made=[table])
        model = self.tell.thing(self._model(version))
        enough = self.tell.judgement("train.enough_rows", model, Verdict.PASS, "53,000 rows to learn from")
        took = [table.id, order.id] if order else [table.id]
        self.tell.tell("train", "train", MODEL, took=took, made=[model], judged=[enough], seconds=14)
        gate, card = self._gate(model, table, loss)
        bundle = self.tell.thing(self._bundle(version, model))
        parity = self.tell.judgement(
            "parity.compiled", bundle, Verdict.PASS, "0 of 2,000 rows differ by over 1e-4"
        )
        self.tell.tell(
            "register", "register", MODEL, took=[model.id, card.id], made=[bundle], judged=[parity]
        )
        self.bundles.append(bundle)
        self.trained.append(model)
        return gate

    def _gate(self, model: Artifact, table: Artifact, loss: float) -> tuple[Check, Artifact]:
        card = self.tell.thing(
            Scorecard(
                model=MODEL,
                candidate=model.id,
                champion=None,
                rows=10_600,
                blocks=12,
                scores=(
                    Score(
                        who="challenger",
                        metric="log_loss",
                        value=loss,
                        low=loss - 0.01,
                        high=loss + 0.01,
                        n=10_600,
                    ),
                    Score(who="challenger", metric="roc_auc", value=0.74, low=0.73, high=0.75, n=10_600),
                ),
                comparisons=(),
            )
        )
        gate = self.tell.judgement(
            "quality.baseline",
            card,
            Verdict.PASS,
            f"log loss {loss} beats the constant's 0.521 by {0.521 - loss:.3f} [0.055, 0.084]",
            reading=Reading(value=0.521 - loss, low=0.055, high=0.084, n=10_600),
            limit=Limit(at_least=0.0),
        )
        self.tell.tell("evaluate", "evaluate", MODEL, took=[model.id, table.id], made=[card], judged=[gate])
        self.tell.tell("evaluate", "bless", MODEL, by=_POLICY, took=[model.id], because=[gate])
        return gate, card

    def _release(
        self, kind: str, champion: int, challenger: int | None = None, share: float = 0.0, says: str = ""
    ) -> None:
        bundle = self.bundles[(challenger or champion) - 1]
        bad = kind == "roll-back"
        check = self.tell.judgement(
            "release.first" if self.plan is None else "canary.errors" if share or bad else "shadow.agreement",
            bundle,
            Verdict.FAIL if bad else Verdict.PASS,
            says,
            reading=Reading(value=0.4 if bad else 0.0, n=50),
            limit=Limit(at_most=0.01),
        )
        took = [self.plan.id] if self.plan else []
        self.tell.tell("release", "judge", MODEL, took=[bundle.id], judged=[check])
        champion_bundle = self.bundles[champion - 1]
        self.plan = self.tell.thing(
            TrafficPlan(
                model=MODEL,
                champion=champion_bundle.id,
                champion_version=champion,
                challenger=None if challenger is None or bad else self.bundles[challenger - 1].id,
                challenger_version=None if bad else challenger,
                stage={"shadow": "shadow", "canary": "canary"}.get(kind, "full"),
                share=share,
            )
        )
        taken = [*took, bundle.id]
        self.tell.tell(
            "release",
            kind,
            MODEL,
            by=_POLICY,
            took=taken,
            because=[check],
            made=[self.plan],
            note=says,
            seconds=1,
        )
        self.champion = champion

    def _climb(self, version: int) -> None:
        """Shadow, canary, promotion."""
        now = self.champion
        self._release("shadow", now, version, says="answers beside the champion, unseen")
        self._release("canary", now, version, 0.05, says="no error in 480 canary requests")
        self._release("canary", now, version, 0.25, says="no error in 2,400 canary requests")
        self._release("promote", version, says="canary no worse than the champion in 4,900 requests")

    def _fall(self, version: int) -> None:
        """Shadow, canary, roll-back."""
        now = self.champion
        self._release("shadow", now, version, says="answers beside the champion, unseen")
        self._release("canary", now, version, 0.05, says="no error in the first 12 canary requests")
        self._release("roll-back", now, version, says="20 of 50 canary requests failed; at most 1 % may")

    def _retrain(self, judged: Check, loss: float) -> None:
        self.orders += 1
        assert self.plan is not None
        reason = self.tell.judgement(
            "trigger.failing_check", self.plan, Verdict.FAIL, "quality.loss fails for the 3rd window in a row"
        )
        self.tell.tell("trigger", "weigh", MODEL, took=[self.plan.id], judged=[reason])
        order = self.tell.thing(
            RetrainOrder(model=MODEL, reason="failing check", as_of=iso(self.tell.now), number=self.orders)
        )
        because = [judged, reason]
        self.tell.tell(
            "trigger",
            "retrain",
            MODEL,
            by=_POLICY,
            took=[self.plan.id],
            because=because,
            made=[order],
            note="drift",
        )
        if self.orders == 1:
            self.tell.tell(
                "train",
                "train",
                MODEL,
                took=[order.id],
                outcome=Outcome.FAILED,
                note="MemoryError: out of memory",
            )
        self._candidate(loss, order)

    def _window(self, day: int, *, drifted: bool) -> Check:
        assert self.plan is not None
        start = self.tell.now - timedelta(days=1)
        rows = 900 + self.random.randrange(120)
        served = ServedBy(
            bundle=self.bundles[self.champion - 1].id,
            version=self.champion,
            role="champion",
            requests=rows,
            rows=rows,
            errors=0,
            latency_ms_p50=0.4,
            latency_ms_p99=1.9,
        )
        window = self.tell.thing(
            Window(
                model=MODEL,
                span=f"{start:%Y-%m-%d}",
                first=iso(start),
                last=iso(self.tell.now),
                rows=rows,
                outcomes=rows - 20,
                table=self.tell.part(f"window {day}".encode()),
                served=(served,),
            )
        )
        loss = 0.445 + 0.012 * math.sin(day / 5) + self.random.gauss(0, 0.008) + (0.055 if drifted else 0)
        bias = self.random.gauss(0, 0.007) + (0.05 if drifted else 0)
        checks = [
            self._reading("quality.loss", window, loss, 0.02, 0.5, rows, "log loss"),
            self._reading("quality.bias", window, bias, 0.012, 0.04, rows, "mean answer less mean outcome"),
            self._reading("drift.location", window, abs(bias), 0.01, 0.2, rows, "hour: shift of the mean"),
        ]
        self.tell.tell(
            "monitor", "monitor", MODEL, took=[self.plan.id], made=[window], judged=checks, seconds=2
        )
        if checks[0].verdict is Verdict.FAIL:
            self.tell.tell(
                "monitor", "alert", MODEL, by=_POLICY, because=checks[:1], note=checks[0].says, seconds=1
            )
        return checks[0]

    def _reading(
        self, rule: str, window: Artifact, value: float, half: float, limit: float, n: int, word: str
    ) -> Check:
        unsure = abs(value) + half > limit
        verdict = Verdict.FAIL if abs(value) > limit else Verdict.UNSURE if unsure else Verdict.PASS
        return self.tell.judgement(
            rule,
            window,
            verdict,
            f"{word} {value:.3f} [{value - half:.3f}, {value + half:.3f}] against {limit}",
            reading=Reading(value=value, unit=word, low=value - half, high=value + half, n=n),
            limit=Limit(at_most=limit),
        )

    def _model(self, version: int) -> Model:
        text = self.tell.part(b"# the project's own source\n")
        return Model(
            name=MODEL,
            task="classification",
            classes=(False, True),
            encoding=Encoding(columns=(ColumnEncoding(name="hour", dtype="Int64", role="number"),)),
            estimator=self.tell.part(f"estimator {version}".encode()),
            parameters={"learning_rate": 0.05 * version, "leaves": 31},
            seed=version,
            code=f"code-{version}",
            files=(SourceFile(module="project", text=text),),
            environment=Environment(
                python="3.11.2", platform="linux", packages={}, git_commit="0" * 39 + str(version)
            ),
            rows_train=42_400,
            rows_holdout=10_600,
        )

    def _bundle(self, version: int, model: Artifact) -> Bundle:
        text = self.tell.part(b"# the project's own source\n")
        manifest = Manifest(
            model=MODEL,
            trained=model.id,
            task="classification",
            classes=(False, True),
            target="late",
            runtime="onnx",
            graph=self.tell.part(f"graph {version}".encode()),
            encoding=Encoding(columns=(ColumnEncoding(name="hour", dtype="Int64", role="number"),)),
            inputs=_COLUMNS,
            request_features=(),
            views=(),
            slices=(),
            key=None,
            event_time=None,
            code=f"code-{version}",
            files=(SourceFile(module="project", text=text),),
            environment=Environment(python="3.11.2", platform="linux", packages={}),
            parity=Parity(rows=2000, differing=0, largest_difference=2e-7, tolerance=1e-4),
            golden=self.tell.part(b"{}"),
        )
        return Bundle(manifest=manifest, signature="00", key_id="00")
