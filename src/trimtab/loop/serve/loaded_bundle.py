"""A loaded bundle: a signed bundle that has shown it can reproduce its golden answers."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import polars as pl

from trimtab.atoms.content.bundle import Bundle, Manifest
from trimtab.atoms.digest import SHORT
from trimtab.atoms.error import ModelRefused
from trimtab.engine.store import Store
from trimtab.loop.serve.plain_row import PlainRows
from trimtab.loop.serve.wire_value import wire_columns
from trimtab.ports.model_runtime import ModelRuntime, RunningModel
from trimtab.rows.bundle_features import BundleFeatures
from trimtab.rows.bundled_code import load_functions
from trimtab.rows.encoding import encode
from trimtab.rows.request_row import RowsRefused, read_rows

#: Takes (signed bytes, signature in hex, key id); raises ModelRefused where they do not fit.
Verify = Callable[[bytes, str, str], None]

#: Rows up to this many are answered on the event loop where the model is plain; measured in bench/.
MOST_PLAIN_ROWS = 16


class _Golden(msgspec.Struct, frozen=True):
    rows: list[dict[str, Any]]
    features: list[list[float | None]]
    outputs: list[Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """What one bundle made of one request, ready for the log and the wire."""

    #: Request columns by name, JSON values.
    inputs: dict[str, list[Any]]
    #: Features by name in the encoding's order, JSON values.
    features: dict[str, list[Any]]
    #: Classification: probabilities by row and class. Regression: a value by row. Always finite.
    answers: list[Any]


class NotFinite(Exception):
    """The model gave NaN or an infinity (or the wrong number of answers) for rows that it should answer."""


class LoadedBundle:
    """Answers rows with one bundle's code, encoding and graph; safe to call from several threads.

    It counts who is using it: after `retire` it closes itself when the last one leaves.
    """

    def __init__(
        self, bundle_id: str, manifest: Manifest, features: BundleFeatures, running: RunningModel
    ) -> None:
        self.id = bundle_id
        self.manifest = manifest
        #: True for a graph that runs in this process and may therefore answer on the event loop.
        self.inline = manifest.runtime == "onnx"
        self._features = features
        self._running = running
        self._plain = PlainRows.of(manifest)
        self._lock = threading.Lock()
        self._users = 0
        self._retired = False
        self._closed = False

    def predict(self, rows: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, np.ndarray]:
        """Features and answers of typed request rows.

        Returns:
            The features in the encoding's order, and the answers: probabilities (n, classes) or values (n,).

        Raises:
            NotFinite: The answers cannot be given to anyone.
        """
        features = self._features.frame(rows, now)
        return features, self._answer(encode(features, self.manifest.encoding))

    def answer(self, rows: list[Any], now: datetime, *, strict: bool) -> Answers:
        """Answer rows as they came in JSON; RowsRefused where a row breaks the manifest's rules."""
        typed = read_rows(rows, self.manifest.inputs, encoding=self.manifest.encoding, strict=strict)
        features, answers = self.predict(typed, now)
        return Answers(inputs=wire_columns(typed), features=wire_columns(features), answers=answers.tolist())

    def refuses(self, rows: list[Any], *, strict: bool) -> bool:
        """Whether the rows break the manifest's rules."""
        try:
            read_rows(rows, self.manifest.inputs, encoding=self.manifest.encoding, strict=strict)
        except RowsRefused:
            return True
        return False

    def answer_plain(self, rows: list[Any], *, strict: bool) -> Answers | None:
        """The same as `answer` without a frame, some 50 times faster for one row.

        Returns:
            None where model, number of rows or a value is out of the ordinary: `answer` then decides.
        """
        if self._plain is None or not self.inline or len(rows) > MOST_PLAIN_ROWS:
            return None
        read = self._plain.read(rows, strict=strict)
        if read is None:
            return None
        inputs, features, matrix = read
        return Answers(inputs=inputs, features=features, answers=self._answer(matrix).tolist())

    def enter(self) -> bool:
        """Begin to use the bundle; False where it is closed already and a newer one must be asked for."""
        with self._lock:
            if self._closed:
                return False
            self._users += 1
            return True

    def leave(self) -> None:
        """End what `enter` began."""
        with self._lock:
            self._users -= 1
            close = self._retired and self._users == 0 and not self._closed
            self._closed = self._closed or close
        if close:
            self._running.close()

    def retire(self) -> None:
        """Close when nobody uses it any more."""
        with self._lock:
            self._retired = True
            close = self._users == 0 and not self._closed
            self._closed = self._closed or close
        if close:
            self._running.close()

    def _answer(self, matrix: np.ndarray) -> np.ndarray:
        answers = np.asarray(self._running.answer(matrix))
        classes = len(self.manifest.classes)
        wanted = (len(matrix), classes) if self.manifest.task == "classification" else (len(matrix),)
        if answers.shape != wanted:
            raise NotFinite(f"the model gave answers of shape {answers.shape}, not {wanted}")
        if not np.isfinite(answers).all():
            raise NotFinite("the model gave an answer that is NaN or infinite")
        return answers


def load_bundle(
    store: Store, bundle_id: str, *, runtimes: Mapping[str, ModelRuntime], verify: Verify
) -> LoadedBundle:
    """Load a bundle and hold it to its golden rows before anyone may ask it.

    Raises:
        ModelRefused: A signature does not fit, there is no such runtime, or a golden row is not reproduced.
        Damaged: A blob's bytes are not what was signed.
    """
    bundle = store.read(bundle_id, Bundle)
    verify(bundle.signed_bytes(), bundle.signature, bundle.key_id)
    manifest = bundle.manifest
    runtime = runtimes.get(manifest.runtime)
    if runtime is None:
        raise ModelRefused(
            f"bundle {bundle_id[:SHORT]} needs the runtime {manifest.runtime!r}, and this server has "
            f"{', '.join(sorted(runtimes)) or 'none'}: install `trimtab[serve]`"
        )
    files = {file.module: store.part(file.text) for file in manifest.files}
    functions = load_functions(files, manifest.project_module, manifest.request_features)
    features = BundleFeatures(manifest, functions, store.online)
    running = runtime.load(store.part(manifest.graph), manifest.task)
    loaded = LoadedBundle(bundle_id, manifest, features, running)
    try:
        _reproduce(loaded, store)
    except BaseException:
        loaded.retire()
        raise
    return loaded


def _reproduce(loaded: LoadedBundle, store: Store) -> None:
    """Golden rows give the golden features, and these the golden answers; this also warms the model up."""
    manifest = loaded.manifest
    golden = msgspec.json.decode(store.part(manifest.golden), type=_Golden)
    name = f"bundle {loaded.id[:SHORT]} of model {manifest.model!r}"
    wanted = np.array(golden.features, dtype=np.float32).reshape(-1, len(manifest.encoding.columns))
    if not manifest.views:
        rows = read_rows(golden.rows, manifest.inputs, encoding=manifest.encoding, strict=False)
        features = loaded._features.frame(rows, store.now())
        if not np.array_equal(encode(features, manifest.encoding), wanted, equal_nan=True):
            raise ModelRefused(
                f"{name}: its feature code does not reproduce the golden features; register it again"
            )
    answers = loaded._answer(wanted).astype(np.float64)
    expected = np.array(golden.outputs, dtype=np.float64).reshape(answers.shape)
    largest = float(np.max(np.abs(answers - expected), initial=0.0))
    if largest > manifest.parity.tolerance:
        raise ModelRefused(
            f"{name}: its answers to the golden rows differ by {largest:.3g}, more than the "
            f"{manifest.parity.tolerance:.3g} that its parity certificate allows; register it again here"
        )
