"""32 processes on one file: nobody ever sees that it is locked, and nothing is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.atoms.artifact import Artifact
from trimtab.testing.example_record import artifact
from trimtab.testing.ledger_suite import chain_holds

PROCESSES = 32

WORK = """
import sys
from pathlib import Path
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.testing.example_record import artifact, made
path, first, appends = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
ledger = SqliteLedger(path)
for number in range(first, first + appends):
    ledger.append(made(number))
    assert ledger.find(artifact(number).id) is not None
    entries = list(ledger.entries(after=max(ledger.head()[0] - 50, 0)))
    assert [entry.seq for entry in entries] == list(range(entries[0].seq, entries[-1].seq + 1))
    print(number, flush=True)
ledger.close()
"""


@pytest.mark.parametrize("appends", [5, pytest.param(150, marks=pytest.mark.slow)])
def test_thirty_two_processes_append_and_read_at_once(tmp_path: Path, appends: int) -> None:
    path = tmp_path / "ledger.sqlite"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, str(path), str(number * 1000), str(appends)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        for number in range(PROCESSES)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    # Only now, with all of them there, does any of them make the file: they meet at its making too.
    acknowledged: set[int] = set()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    for child in children:
        out, err = child.communicate(timeout=500)
        assert (err, child.returncode) == ("", 0)
        acknowledged.update(int(line) for line in out.split())
    assert len(acknowledged) == PROCESSES * appends
    ledger = SqliteLedger(path)
    assert chain_holds(ledger)
    kept = [entry.record.id for entry in ledger.entries() if isinstance(entry.record, Artifact)]
    assert sorted(kept) == sorted(artifact(number).id for number in acknowledged)
    ledger.close()
