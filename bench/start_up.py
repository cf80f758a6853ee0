"""How fast Trimtab starts, and what its two planes hold when nobody asks them anything.

python bench/start_up.py [RUNS]
"""
# ruff: noqa: T201 (it prints its result)

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PROJECT = '''"""A small project for the measurement."""

import trimtab as tt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rows = tt.source("rows", "rows.csv")


@tt.model("yes", rows=rows, target="yes", metrics=["log_loss"])
def yes(train, trial):
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(train.x, train.y)
'''


def program() -> list[str]:
    """The command line's program beside this interpreter; where it is not installed, what it would run."""
    installed = Path(sys.executable).parent / "trimtab"
    if installed.exists():
        return [str(installed)]
    return [sys.executable, "-c", "import sys; from trimtab.cli.program import main; sys.exit(main())"]


def milliseconds(command: list[str], runs: int) -> list[float]:
    """Wall time of a command, its compiled modules in place."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        times.append((time.perf_counter() - started) * 1000)
    return times


def proportional_mb(process: int) -> float:
    """Memory of a process, shared pages counted by their share; Linux only."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def planes(folder: Path) -> dict[str, float]:
    """Start the planes of a small project that has a released model; returns the memory of each process."""
    where = ["--project", str(folder)]
    (folder / "project.py").write_text(PROJECT, encoding="utf-8")
    (folder / "trimtab.toml").write_text("", encoding="utf-8")
    lines = [f"{number},{number % 7},{'true' if number % 7 > 3 else 'false'}" for number in range(500)]
    (folder / "rows.csv").write_text("a,b,yes\n" + "\n".join(lines) + "\n", encoding="utf-8")
    subprocess.run(
        [*program(), "up", "--detach", *where, "--port", "8621", "--serve-port", "8622"], check=True
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen("http://127.0.0.1:8622/v2/health/ready", timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(3)
        return {what_runs(process): proportional_mb(process) for process in processes_of(folder)}
    finally:
        subprocess.run([*program(), "down", *where], check=True)


def processes_of(folder: Path) -> list[int]:
    """Ids of the processes whose command line names the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and str(folder) in words(int(entry.name)):
            found.append(int(entry.name))
    return found


def words(process: int) -> str:
    """The command line of a process without its interpreter; empty where it is gone."""
    try:
        raw = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return ""
    return " ".join(raw.decode("utf-8", "replace").split("\0")[1:])


def what_runs(process: int) -> str:
    """The module that a process runs."""
    given = words(process).split()
    return " ".join(given[given.index("-m") + 1 :][: 1 if "." in given[given.index("-m") + 1] else 2])


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print("| start | median ms | fastest ms | slowest ms |")
    print("|---|---:|---:|---:|")
    for name, command in {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import trimtab": [sys.executable, "-c", "import trimtab"],
        "trimtab --help": [*program(), "--help"],
    }.items():
        times = milliseconds(command, runs)
        print(f"| `{name}` | {statistics.median(times):.0f} | {min(times):.0f} | {max(times):.0f} |")
    if not Path("/proc/self/smaps_rollup").exists():
        return
    with tempfile.TemporaryDirectory() as made:
        held = planes(Path(made))
    print("\n| idle process | MB |\n|---|---:|")
    for name, megabytes in held.items():
        print(f"| `{name}` | {megabytes:.0f} |")
    print(f"| together | {sum(held.values()):.0f} |")


if __name__ == "__main__":
    main()
