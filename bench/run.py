"""Every measurement, one after the other: `make bench`. Asserts nothing; see docs/benchmarks.md.

python bench/run.py [NAME ...]
"""
# ruff: noqa: T201 (it prints its result)

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MEASUREMENTS = (
    "start_up",
    "predict_one_row",
    "ledger",
    "replay",
    "fsck",
    "metric_points",
    "blobs",
    "data_versions",
    "run_search",
    "record_points",
    "mlflow_server",
)


def main() -> None:
    """Run what is named, or all."""
    names = sys.argv[1:] or MEASUREMENTS
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        raise SystemExit(f"there is no measurement {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}")
    for name in names:
        load = os.getloadavg()[0]
        print(f"\n## {name} (load average before: {load:.1f} on {os.cpu_count()} cores)\n", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=True)


if __name__ == "__main__":
    main()
