"""A program written for MLflow, run against a server as it is: only its environment says where to log."""

import os
import subprocess
import sys
from pathlib import Path

#: What the client asks for that is documented as not supported, and what comes of it: nothing that ends a training.
DOCUMENTED = {"POST /v1/traces HTTP/1.1", "POST /api/3.0/mlflow/traces HTTP/1.1"}


def environment(address: str) -> dict[str, str]:
    """Only the address, and that MLflow's makers are not told of it."""
    return os.environ | {
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "PYTHONWARNINGS": "ignore",
    }


def printed(
    script: Path,
    address: str,
    folder: Path,
    *words: str,
    python: str = sys.executable,
    timeout_s: float = 600,
) -> str:
    """What a script printed that ran to its end in a process of its own; AssertionError with its last words if not.

    Args:
        address: `http://...` of the server it logs to.
        folder: Where it runs; made where it is not there.
    """
    folder.mkdir(exist_ok=True)
    ended = subprocess.run(
        [python, str(script), *words],
        env=environment(address),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout
