"""A request to an S3 server, made again while it may still succeed, and told in a sentence where it does not."""

import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

from trimtab.adapters.s3_blobs.place import Place
from trimtab.atoms.error import ConfigurationRefused, StoreError

Answer = TypeVar("Answer")

#: Seconds for which a request is made again before it counts as failed; one that is under way is waited for.
PATIENCE_S = 60.0
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 5.0

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
#: What the client says of a connection, in the words that are shown.
_TROUBLE = (
    ("timed out", "no answer in time"),
    ("error sending request", "no connection"),
    ("body error", "the connection broke"),
)


def insist(ask: Callable[[], Answer], place: Place, *, patience_s: float = PATIENCE_S) -> Answer:
    """What `ask` answers; after a broken connection or a trouble of the server's it asks again, ever more slowly.

    Raises:
        FileNotFoundError: There is no such object.
        StoreError: It was refused, or failed for `patience_s`.
        ConfigurationRefused: The server cannot do what is asked.
    """
    from obstore.exceptions import AlreadyExistsError, BaseError

    deadline = time.monotonic() + patience_s
    wait_s = _FIRST_WAIT_S
    while True:
        try:
            return ask()
        except AlreadyExistsError:
            raise
        except (BaseError, FileNotFoundError) as error:
            # What follows repeats it with our own settings among its words.
            told = str(error).partition("Debug source:")[0]
            if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in told:
                raise
            if not _may_pass(told) or time.monotonic() + wait_s > deadline:
                # What the server answers may quote the request, its token included: it is not shown.
                raise _refusal(told, place) from None
        time.sleep(wait_s * random.uniform(0.5, 1.0))
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)


def _may_pass(told: str) -> bool:
    status = _STATUS.search(told)
    if status is not None:
        number = int(status[1])
        return number in (408, 429) or (number >= 500 and number != 501)
    return "HTTP error" in told and "builder error" not in told


def _refusal(told: str, place: Place) -> StoreError | ConfigurationRefused:
    status, code = _STATUS.search(told), _CODE.search(told)
    number = int(status[1]) if status else 0
    word = code[1] if code else f"status {number}" if number else ""
    where = f"bucket {place.bucket} at {place.server}"
    if word == "NoSuchBucket":
        return missing(place)
    if word == "RequestTimeTooSkewed":
        return StoreError(f"{where} finds this machine's clock wrong by minutes: set it right and try again")
    if number in (301, 307, 400) and (number != 400 or word == "AuthorizationHeaderMalformed"):
        return StoreError(f"{where} is in another region ({word}): name it as region=... in the URL")
    if number in (401, 403):
        return StoreError(
            f"{where} refuses these credentials ({word}): check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
            "AWS_SESSION_TOKEN, and that they may list, get, put and delete objects there"
        )
    if number == 501:
        return ConfigurationRefused(f"{where} cannot do what Trimtab needs ({word}): use another server")
    trouble = word or next((said for known, said in _TROUBLE if known in told), "the request failed")
    return StoreError(f"{where} fails ({trouble}): nothing was acknowledged; look after it and try again")


def missing(place: Place) -> StoreError:
    """What to say where there is no such bucket."""
    return StoreError(
        f"there is no bucket {place.bucket} at {place.server}: make it, or mend the URL of the blobs"
    )
