"""A bundle is ready only when its signature fits and its golden rows come out again."""

import json

import polars as pl
import pytest

from trimtab.atoms.content.bundle import ViewInput
from trimtab.atoms.content.encoding import ColumnEncoding, Encoding
from trimtab.atoms.content.snapshot import Column
from trimtab.atoms.error import ModelRefused
from trimtab.loop.serve.loaded_bundle import load_bundle
from trimtab.ports.online_features import FeatureValue
from trimtab.rows.request_row import read_rows

ROW = {"distance": 12.5, "carrier": "UA", "stops": 2}
CODE = """
import polars as pl
import trimtab as tt

@tt.request_features
def trip(rows):
    return rows.with_columns(legs=pl.col("stops") + 1)
"""
LEGS = Encoding(columns=(ColumnEncoding(name="legs", dtype="Int64", role="number"),))


def load(shop, bundle_id):
    def verify(content, signature, key_id):
        if signature == "00":
            raise ModelRefused("the signature does not fit")

    return load_bundle(shop.store, bundle_id, runtimes={"onnx": shop.runtime}, verify=verify)


def test_typed_rows_give_features_and_answers(shop):
    bundle = load(shop, shop.bundle(task="regression"))
    rows = read_rows([ROW, ROW], bundle.manifest.inputs, encoding=None, strict=True)
    features, answers = bundle.predict(rows, shop.store.now())
    assert features.columns == ["distance", "carrier", "stops"]
    assert answers.tolist() == pytest.approx([0.175, 0.175])


def test_a_foreign_signature_is_refused_before_anything_is_loaded(shop):
    with pytest.raises(ModelRefused, match="signature"):
        load(shop, shop.bundle(signature="00"))
    assert not shop.runtime.loaded


def test_a_runtime_that_is_not_there_is_named(shop):
    bundle_id = shop.bundle()
    with pytest.raises(ModelRefused, match="needs the runtime 'onnx'"):
        load_bundle(shop.store, bundle_id, runtimes={}, verify=lambda *signed: None)


def test_golden_answers_that_do_not_come_out_again_are_refused(shop):
    golden = {"rows": [ROW], "features": [[12.5, 3.0, 2.0]], "outputs": [[0.4, 0.6]]}
    with pytest.raises(ModelRefused, match="golden rows differ by"):
        load(shop, shop.bundle(golden=golden))
    assert shop.runtime.loaded[0].closed


def test_feature_code_that_gives_other_features_is_refused(shop):
    golden = {"rows": [ROW], "features": [[12.5, 3.0, 3.0]], "outputs": [[0.5, 0.5]]}
    with pytest.raises(ModelRefused, match="golden features"):
        load(shop, shop.bundle(golden=golden))


def test_request_features_run_by_the_bundles_own_code(shop):
    golden = {"rows": [ROW], "features": [[3.0]], "outputs": [0.03]}
    bundle_id = shop.bundle(task="regression", encoding=LEGS, code=CODE, functions=("trip",), golden=golden)
    answers = load(shop, bundle_id).answer([ROW | {"stops": 9}], shop.store.now(), strict=True)
    assert answers.features == {"legs": [10]}
    assert answers.answers == pytest.approx([0.1])


def test_views_are_read_as_of_now_where_the_model_has_no_event_time(shop):
    wind = Column(name="wind", dtype="Float64")
    now_us = int(shop.store.now().timestamp() * 1e6)
    shop.store.online.put("sky", [FeatureValue(entity="UA", event_time_us=now_us - 1, values=(20.0,))])
    bundle_id = shop.bundle(
        task="regression",
        encoding=Encoding(columns=(ColumnEncoding(name="wind", dtype="Float64", role="number"),)),
        views=(ViewInput(view="sky", entity="carrier", columns=(wind,)),),
        golden={"rows": [ROW], "features": [[20.0]], "outputs": [0.2]},
    )
    answers = load(shop, bundle_id).answer([ROW, ROW | {"carrier": "AA"}], shop.store.now(), strict=True)
    assert answers.features == {"wind": [20.0, None]}
    assert answers.answers == pytest.approx([0.2, 0.0])


def test_golden_rows_may_hold_missing_values(shop):
    golden = {"rows": [ROW | {"distance": None}], "features": [[None, 3.0, 2.0]]}
    outputs = [0.05]
    bundle_id = shop.bundle(task="regression", golden=golden | {"outputs": outputs})
    assert json.loads(shop.store.part(load(shop, bundle_id).manifest.golden))["outputs"] == outputs


def test_a_wrong_number_of_answers_is_never_given(shop):
    class Short:
        def answer(self, rows):
            return rows[:1, 0]

        def close(self):
            pass

    bundle = load(shop, shop.bundle(task="regression"))
    bundle._running = Short()
    with pytest.raises(Exception, match="shape"):
        bundle.predict(
            pl.DataFrame({"distance": [1.0, 2.0], "carrier": ["UA", "UA"], "stops": [1, 1]}), shop.store.now()
        )
