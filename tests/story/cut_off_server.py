"""A prediction server with made-up models whose streams are in a folder: for tests that kill it.

python cut_off_server.py FOLDER PORT READY_FILE
"""

import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "loop" / "serve"))

from conftest import Shop, verify
from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.loop.serve.server import run


def main() -> None:
    """Serve until killed."""
    folder, port, ready = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    shop = Shop()
    shop.plan(shop.bundle(key="flight"))
    store = dataclasses.replace(shop.store, streams=SegmentStreams(folder))
    run(store, runtimes={"onnx": shop.runtime}, verify=verify, port=port, ready_file=ready)


if __name__ == "__main__":
    main()
