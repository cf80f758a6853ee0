"""Start-up stays light: held by what is loaded, not by a clock, so that a busy machine cannot fail it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"

#: Loaded only by the stage or adapter that needs them.
HEAVY = {
    *("numpy", "polars", "pandas", "scipy", "sklearn", "lightgbm", "xgboost", "torch"),
    *("onnx", "onnxruntime", "skl2onnx", "onnxmltools", "skops", "optuna", "sqlalchemy"),
    *("starlette", "uvicorn", "httpx2", "cryptography", "asyncio"),
}

HELP = """
import sys
from trimtab.cli.program import main
sys.argv = ["trimtab", "--help"]
try:
    main()
except SystemExit:
    pass
"""
CARDS = """
import pkgutil, importlib, trimtab.loop
for stage in pkgutil.iter_modules(trimtab.loop.__path__):
    importlib.import_module(f"trimtab.loop.{stage.name}").CARD
"""

#: A program, and what its start may not load.
STARTS = {
    "import trimtab": ("import trimtab", HEAVY | {"click", "rich", "msgspec", "jinja2", "sqlite3"}),
    "trimtab --help": (HELP, HEAVY | {"jinja2"}),
    "the words of a project file": (
        "import trimtab as tt; tt.source('rows', 'rows.csv'); tt.feature_view, tt.model, tt.Trial",
        HEAVY,
    ),
    "the memory of a ledger": ("import trimtab.views.memory", HEAVY),
    "the engine": ("import trimtab.engine.engine", HEAVY),
    "the ten cards": (CARDS, HEAVY),
}


@pytest.mark.parametrize("start", STARTS)
def test_a_start_loads_nothing_heavy(start: str) -> None:
    program, forbidden = STARTS[start]
    report = "\nimport json, sys; sys.stderr.write('modules:' + json.dumps(sorted(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", program + report],
        env=os.environ | {"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    loaded = set(json.loads(ran.stderr.partition("modules:")[2]))
    assert "trimtab" in loaded
    found = sorted(loaded & forbidden)
    assert not found, (
        f"{start} loads {found}: import them where they are used; python -X importtime shows who asks"
    )
