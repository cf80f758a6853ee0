"""The server as a process: it answers from a real store, drains on SIGTERM."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import trimtab
from trimtab.adapters.local_store import open_store
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.adapters.signature import Signer
from trimtab.atoms.content.bundle import Bundle, manifest_bytes
from trimtab.atoms.error import ConfigurationRefused, UsageError
from trimtab.loop.serve.server import listen, require_loopback

ROW = {"distance": 12.5, "carrier": "UA", "stops": 2}
PROGRAM = """
import sys
from pathlib import Path
import trimtab
from trimtab.adapters.local_store import open_store
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.adapters.signature import Signer
from trimtab.loop.serve.server import run

folder, ready = Path(sys.argv[1]), Path(sys.argv[2])
store = open_store(folder)
verify = Signer(folder / "keys").verify
run(store, runtimes={"onnx": OnnxRuntime()}, verify=verify, port=0, ready_file=ready, say=print)
store.close()
print("ended well")
"""


def test_an_address_that_others_can_reach_is_refused():
    for host in ("0.0.0.0", "192.168.1.7", "::", "models.example"):
        with pytest.raises(ConfigurationRefused, match=host) as refused:
            require_loopback(host)
        assert refused.value.exit_status == 78
    for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8"):
        require_loopback(host)


def test_a_port_in_use_is_named_with_the_way_out():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} on 127.0.0.1 is in use .*`--serve-port PORT`"):
            listen("127.0.0.1", port)


def graph() -> bytes:
    """Probabilities [1 - p, p] with p = sigmoid(0.01 * sum of the features)."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 2], [-0.01, 0.01] * 3)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Sigmoid", ["z"], ["answer"])]
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None, 2])],
        [weights],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return onnx.ModelProto.SerializeToString(model)


@pytest.fixture
def folder(shop, tmp_path):
    """A store on disk with one released bundle, signed."""
    store = open_store(tmp_path / "store")
    shop.store = store
    features = [[12.5, 3.0, 2.0]]
    answers = OnnxRuntime().load(graph(), "classification").answer(np.array(features, dtype=np.float32))
    golden = {"rows": [ROW], "features": features, "outputs": answers.tolist()}
    manifest = shop.manifest(golden=golden)
    manifest = msgspec.structs.replace(manifest, graph=shop.part(graph()))
    signature, key_id = Signer(tmp_path / "store" / "keys").sign(manifest_bytes(manifest))
    bundle = Bundle(manifest=manifest, signature=signature, key_id=key_id)
    shop.plan(shop.record("register", "register", "late", bundle))
    store.close()
    return tmp_path


def post(address: str, body: dict) -> tuple[int, dict]:
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("POST", "/predict/late", json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    told = response.status, json.loads(response.read())
    connection.close()
    return told


def test_a_real_model_is_served_and_the_last_request_is_answered_on_sigterm(folder):
    ready = folder / "address"
    command = [sys.executable, "-c", PROGRAM, str(folder / "store"), str(ready)]
    environment = os.environ | {"PYTHONPATH": str(Path(trimtab.__file__).parents[1])}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        deadline = time.monotonic() + 20
        while not ready.exists() and time.monotonic() < deadline and server.poll() is None:
            time.sleep(0.02)
        address = ready.read_text().strip().removeprefix("http://")
        status, answer = 503, {}
        while status == 503 and time.monotonic() < deadline:
            status, answer = post(address, {"rows": [ROW], "request_id": "first"})
        assert (status, answer["predictions"]) == (200, [True])
        slow = begin_slowly(address, {"rows": [ROW], "request_id": "last"})
        server.send_signal(signal.SIGTERM)
        assert finish(slow) == 200
        out, _ = server.communicate(timeout=15)
    finally:
        server.kill()
        server.communicate()
    assert server.returncode == 0
    assert "ended well" in out
    assert not ready.exists()
    store = open_store(folder / "store")
    logged = [json.loads(record)["id"] for record in store.streams.read("predictions/late")[0]]
    store.close()
    assert logged == ["first", "last"]


def begin_slowly(address: str, body: dict) -> tuple[socket.socket, bytes]:
    """Send a request but for its last byte, once the server has taken it in."""
    host, port = address.split(":")
    content = json.dumps(body).encode()
    head = f"POST /predict/late HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(content)}\r\nExpect: 100-continue\r\n\r\n"
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(head.encode())
    assert b"100 Continue" in connection.recv(1000)
    return connection, content


def finish(begun: tuple[socket.socket, bytes]) -> int:
    connection, content = begun
    with connection:
        connection.sendall(content)
        return int(connection.recv(4096).split()[1])
