"""Data versions as a person meets them: images and a table, log, diff, checkout by date, and another machine.

The short form has 500 images and 200,000 rows, the long one 10,000 and 10 million.
"""

import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

SIZES = [
    pytest.param((500, 200_000), id="short"),
    pytest.param((10_000, 10_000_000), id="long", marks=pytest.mark.slow),
]


@dataclass
class Machine:
    """A folder with a project and a store of its own."""

    folder: Path

    def run(self, *arguments: str, status: int = 0) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB")}
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "trimtab", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=environment,
            timeout=600,
            check=False,
        )
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        print(f"{time.perf_counter() - begun:6.2f} s  trimtab {' '.join(arguments)}")  # noqa: T201 (`pytest -s` shows the times)
        return done.stdout if status == 0 else done.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str], Machine]:
    def made(name: str) -> Machine:
        (tmp_path / name).mkdir()
        return Machine(tmp_path / name)

    return made


@pytest.fixture(params=["folder", "s3"])
def share_blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Machine], None]:
    """Lets machines, each with a ledger of its own, see the same blobs."""
    if request.param == "s3":
        url = request.getfixturevalue("s3_server").url()

        def share(there: Machine) -> None:
            (there.folder / "trimtab.toml").write_text(f'[store]\nblobs = "{url}"\n')

    else:

        def share(there: Machine) -> None:
            (tmp_path / "shared").mkdir(exist_ok=True)
            (there.folder / ".trimtab").mkdir(exist_ok=True)
            blobs = there.folder / ".trimtab" / "blobs"
            if blobs.exists():
                blobs.rename(there.folder / ".trimtab" / "own")
            blobs.symlink_to(tmp_path / "shared")

    return share


def png(number: int) -> bytes:
    """A picture of 32 x 32 points of noise."""
    dice = random.Random(number)
    lines = b"".join(b"\0" + dice.randbytes(32 * 3) for _ in range(32))
    head = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)

    def chunk(word: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + word + body + struct.pack(">I", zlib.crc32(word + body))

    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def draw(folder: Path, count: int) -> None:
    for number in range(count):
        place = folder / f"class_{number % 10}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:06d}.png").write_bytes(png(number))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def now() -> str:
    return datetime.now(UTC).isoformat()


@pytest.mark.parametrize("size", SIZES)
def test_images(
    machine: Callable[[str], Machine], share_blobs: Callable[[Machine], None], size: tuple[int, int]
) -> None:
    count = size[0]
    here = machine("here")
    share_blobs(here)
    images = here.folder / "data" / "images"
    draw(images, count)
    assert f"{count:,} added, 0 changed, 0 removed" in here.run("ingest", "data/images")
    first, then = tree(images), now()
    assert here.run("ingest", "data/images") == "images: no file changed\n"

    (images / "class_3" / "000003.png").write_bytes(png(count + 3))
    (images / "class_4" / "000004.png").unlink()
    (images / "class_5" / "more.png").write_bytes(png(count + 5))
    told = here.run("ingest", "data/images")
    assert "1 added, 1 changed, 1 removed" in told
    stored = int(told.rpartition(" stored now")[0].rpartition(" ")[2].replace(",", ""))
    assert stored == len(png(count + 3)) + len(png(count + 5))
    second = tree(images)

    log = here.json("data", "log", "images")["versions"]
    assert [(line["version"], line["files"]) for line in log] == [("v1", count), ("v2", count)]
    difference = here.json("data", "diff", "images")
    assert {name: difference[name] for name in ("added", "removed", "changed", "unchanged")} == {
        "added": 1,
        "removed": 1,
        "changed": 1,
        "unchanged": count - 2,
    }
    assert difference["sample"]["changed"] == ["class_3/000003.png"]

    here.run("data", "pointer", "images")
    told = here.json("data", "checkout", f"images@{then}")
    assert (told["written"], told["removed"], told["unchanged"]) == (2, 1, count - 2)
    assert tree(images) == first
    here.run("data", "checkout", "images@v2")
    assert tree(images) == second

    there = machine("there")
    (there.folder / "data").mkdir()
    shutil.copy(here.folder / "data" / "images.trimtab", there.folder / "data")
    assert "this store has no blob" in there.run("data", "checkout", "data/images.trimtab", status=1)
    share_blobs(there)
    there.run("data", "checkout", "data/images.trimtab")
    assert tree(there.folder / "data" / "images") == second
    here.run("fsck", "--strict")


def table(rows: int) -> pl.DataFrame:
    number = pl.int_range(rows, eager=True)
    return pl.DataFrame(
        {
            "id": number,
            "price": (number * 37 % 1000) / 10,
            "shop": number % 50,
            "word": pl.Series(["a", "b", "c", "d"])[(number % 4)],
        }
    )


@pytest.mark.parametrize("size", SIZES)
def test_a_table(
    machine: Callable[[str], Machine], share_blobs: Callable[[Machine], None], size: tuple[int, int]
) -> None:
    rows = size[1]
    here = machine("here")
    share_blobs(here)
    (here.folder / "project.py").write_text(
        "import trimtab as tt\nsales = tt.source('sales', 'sales.parquet', key='id')\n"
    )
    before = table(rows)
    before.write_parquet(here.folder / "sales.parquet")
    here.run("ingest")
    then = now()
    after = pl.concat(
        [
            before.slice(10).with_columns(
                price=pl.when(pl.col("id") % 1000 == 500).then(pl.lit(-1.0)).otherwise(pl.col("price"))
            ),
            table(rows + 5).tail(5),
        ]
    )
    after.write_parquet(here.folder / "sales.parquet")
    here.run("ingest")
    assert here.run("ingest") == "sales: no file changed\n"

    difference = here.json("data", "diff", "sales", "--sample", "2")
    changed = rows // 1000
    assert (difference["added"], difference["removed"], difference["changed"]) == (5, 10, changed)
    assert difference["unchanged"] == rows - 10 - changed
    assert difference["sample"]["changed"][0]["price"] == -1.0
    assert difference["sample"]["changed"][0].keys() >= {"id", "was"}

    here.run("data", "checkout", f"sales@{then}", "--to", "past.parquet")
    assert pl.read_parquet(here.folder / "past.parquet").sort("id").equals(before.cast(SCHEMA))
    here.run("data", "checkout", "sales", "--to", "spans")
    spans = pl.concat([pl.read_parquet(path) for path in sorted((here.folder / "spans").glob("*.parquet"))])
    assert spans.sort("id").equals(after.cast(SCHEMA).sort("id"))
    here.run("data", "checkout", "sales@v1", "--to", "spans")
    assert [path.name for path in (here.folder / "spans").iterdir()] == ["0001.parquet"]

    here.run("data", "pointer", "sales@v2", "-o", "sales.trimtab")
    there = machine("there")
    there.run("status", status=2)
    shutil.copy(here.folder / "sales.trimtab", there.folder)
    there.run("data", "checkout", "sales.trimtab", status=1)
    share_blobs(there)
    there.run("data", "checkout", "sales.trimtab", "--to", "back")
    back = pl.concat([pl.read_parquet(path) for path in sorted((there.folder / "back").glob("*.parquet"))])
    assert back.sort("id").equals(after.cast(SCHEMA).sort("id"))


SCHEMA = {"id": pl.Int64, "price": pl.Float64, "shop": pl.Int64, "word": pl.String}


def test_rows_as_they_were_known(machine: Callable[[str], Machine]) -> None:
    """A correction that became known later is not in what was known before it."""
    here = machine("here")
    (here.folder / "project.py").write_text(
        "import trimtab as tt\n"
        "sales = tt.source('sales', 'sales.csv', key='id', event_time='day', known_time='known', span='1mo')\n"
    )
    (here.folder / "sales.csv").write_text(
        "id,day,known,price\n1,2024-01-05,2024-01-06,10\n1,2024-01-05,2024-03-01,12\n2,2024-02-05,2024-02-06,20\n"
    )
    here.run("ingest")
    here.run("data", "checkout", "sales@2024-02-10", "--to", "past.csv")
    past = pl.read_csv(here.folder / "past.csv")
    assert past.select("id", "price").rows() == [(1, 10), (2, 20)]
    here.run("data", "checkout", "sales@at:2024-01-31", "--to", "past.csv", status=2)
    here.run("data", "checkout", "sales@at:2024-01-31", "--to", "past.csv", "--force")
    assert pl.read_csv(here.folder / "past.csv")["price"].to_list() == [10]
    here.run("data", "checkout", "sales@2024-02", "--to", "february.csv")
    assert pl.read_csv(here.folder / "february.csv")["id"].to_list() == [2]
    here.run("data", "checkout", "sales", "--format", "csv", "--to", "all")
    assert sorted(path.name for path in (here.folder / "all").iterdir()) == ["2024-01.csv", "2024-02.csv"]


def test_a_declared_folder(machine: Callable[[str], Machine]) -> None:
    here = machine("here")
    (here.folder / "project.py").write_text(
        "import trimtab as tt\n"
        "images = tt.source('images', 'pictures')\n"
        "@tt.model('m', rows=images, target='y')\n"
        "def m(train, trial):\n    raise AssertionError\n"
    )
    draw(here.folder / "pictures", 20)
    here.run("ingest")
    assert "folder of files" in here.run("validate")
    assert "is a folder of files, and a model learns from rows" in here.run("featurize", "m", status=2)
    assert "declares a source 'images' at pictures" in here.run(
        "ingest", "project.py", "--name", "images", status=2
    )
    shutil.rmtree(here.folder / "pictures")
    here.run("data", "checkout", "images")
    assert len(tree(here.folder / "pictures")) == 20


def test_what_a_person_gets_wrong(machine: Callable[[str], Machine]) -> None:
    here = machine("here")
    (here.folder / "empty").mkdir()
    assert "holds no file" in here.run("ingest", "empty", status=2)
    assert "does not exist" in here.run("ingest", "nothing", status=2)
    (here.folder / "odd @ name").mkdir()
    assert "cannot be a source's name" in here.run("ingest", "odd @ name", status=2)
    draw(here.folder / "images", 3)
    here.run("ingest", "images")
    assert "one version only" in here.run("data", "diff", "images", status=2)
    assert "there are images" in here.run("data", "log", "image", status=2)
    assert "there are images" in here.run("data", "checkout", "image", status=2)
    assert "give v1 to v1" in here.run("data", "checkout", "images@soon", status=2)
    (here.folder / "x.trimtab").write_text("not = 'a pointer'")
    assert "is no pointer to data" in here.run("data", "checkout", "x.trimtab", status=2)
    (here.folder / "file").write_text("x")
    assert "is a file" in here.run("data", "checkout", "images", "--to", "file", status=2)
