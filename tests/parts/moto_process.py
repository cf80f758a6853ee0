"""Runs moto's S3 server with two doors more: one ages an object, one flips a bit of what it holds.

python moto_process.py: prints the port that it answers on, then serves until it is killed.
"""

import datetime
import json
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def with_doors(inner: Application) -> Application:
    """`inner` behind `/-/age` and `/-/damage`, which take `bucket`, `name` and `seconds`."""

    def answer(environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        door = environment["PATH_INFO"]
        if not door.startswith("/-/"):
            return inner(environment, start)
        asked = {name: values[0] for name, values in parse_qs(environment["QUERY_STRING"]).items()}
        held = s3_backends["123456789012"]["aws"].get_object(asked["bucket"], asked["name"])
        if held is None:
            start("404 Not Found", [])
            return [b""]
        if door == "/-/age":
            held.last_modified -= datetime.timedelta(seconds=float(asked["seconds"]))
        else:
            held.etag  # noqa: B018 (worked out from the sound bytes, as a server does that rots beneath it)
            with held.lock:
                held._value_buffer.seek(0)
                first = held._value_buffer.read(1)[0]
                held._value_buffer.seek(0)
                held._value_buffer.write(bytes([first ^ 1]))
        start("200 OK", [])
        return [json.dumps(asked).encode()]

    return answer


def main() -> None:
    """Serve on a free port."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = with_doors(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
