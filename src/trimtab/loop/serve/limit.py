"""What a prediction server takes at most; everything is held before it costs anything."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on requests and on patience."""

    #: Size of one request's body.
    body_bytes: int = 16 * 1024 * 1024
    #: Rows in one request.
    rows: int = 10_000
    #: How long a body may take to arrive.
    body_seconds: float = 30.0
    #: Requests that are being read or answered at once; more are told to come back.
    in_flight: int = 512
    #: Bytes of bodies that are held at once.
    in_flight_bytes: int = 256 * 1024 * 1024
    #: Threads that compute features and run larger requests.
    threads: int = 2
    #: How long the champion may take before the request is given up.
    champion_seconds: float = 30.0
    #: How long a canary may take before the champion answers instead.
    canary_seconds: float = 1.0
    #: Shadow answers that may wait; more are dropped and counted.
    shadow_waiting: int = 1_000
