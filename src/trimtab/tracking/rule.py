"""Rules of what may be logged: names, values, paths and ids, each refused by the name of its rule."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from trimtab.atoms.error import StoreError, UsageError
from trimtab.atoms.metric_point import decode_points, sole_point
from trimtab.atoms.run_event import RunEvent, decode_event, encode_event

#: Characters of a metric's, parameter's or tag's name at most.
MOST_KEY_CHARACTERS = 250
MOST_PARAMETER_CHARACTERS = 6000
MOST_TAG_CHARACTERS = 8000
MOST_NAME_CHARACTERS = 500
#: Bytes of a file's path in UTF-8 at most, and of one of its parts.
MOST_PATH_BYTES, MOST_PART_BYTES = 1000, 255

_KEY = re.compile(rf"[/\w.\- :]{{1,{MOST_KEY_CHARACTERS}}}")
_RUN_ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_\-]{0,255}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def require_event(event: RunEvent) -> None:
    """Refuse an event that may not be logged.

    Raises:
        UsageError: A name, a value or a path breaks a rule: the message names it.
    """
    if event.points:
        sole = sole_point(event.points)
        for metric in _metrics(event.points) if sole is None else sole[:1]:
            require_key(str(metric), "metric")
    if event.parameters:
        require_parameters(event.parameters)
    if event.tags:
        require_tags(event.tags)
    for file in event.files:
        require_path(file.path)
    if event.datasets or event.files or event.models_in or event.models_out:
        _require_readable(event)


def _require_readable(event: RunEvent) -> None:
    """Refuse what a reader of the stream would stumble over: one such event keeps everybody from reading on."""
    try:
        decode_event(encode_event(event))
    except (msgspec.ValidationError, TypeError, UnicodeEncodeError, OverflowError) as error:
        raise UsageError(f"what was logged holds something that cannot be kept: {error}") from error


def _metrics(record: bytes) -> list[str]:
    """Names of the metrics of a record that whoever reads it can read."""
    try:
        points = decode_points(record)
    except StoreError as error:
        raise UsageError(str(error)) from error
    if max(points.metrics, default=0) >= max(len(points.names), 1):
        raise UsageError("these bytes hold no metric points: a point is of a metric that they do not name")
    return list(points.names)


@lru_cache(maxsize=10_000)
def require_key(key: str, what: str) -> None:
    """Refuse a name that is empty, too long, has a character of another kind, or would be no place below a folder."""
    if _KEY.fullmatch(key) is None:
        raise UsageError(
            f"{what} {key[:60]!r}: its name must have 1 to {MOST_KEY_CHARACTERS} characters, each a letter, a digit "
            "or one of `/ _ . - :` and space"
        )
    if key[0] == "/" or key[-1] == "/" or any(part in ("", ".", "..") for part in key.split("/")):
        raise UsageError(
            f"{what} {key[:60]!r}: a name with `/` has parts between them, none of them empty, `.` or `..`"
        )


def require_parameters(parameters: Mapping[str, str]) -> None:
    """Refuse parameters with a name or a value that may not be."""
    for key, value in parameters.items():
        require_key(key, "parameter")
        _require_text(f"parameter {key!r}", value, MOST_PARAMETER_CHARACTERS)


def require_tags(tags: Mapping[str, str | None]) -> None:
    """Refuse tags with a name or a value that may not be."""
    for key, value in tags.items():
        require_key(key, "tag")
        if value is not None:
            _require_text(f"tag {key!r}", value, MOST_TAG_CHARACTERS)


def require_name(name: str, what: str) -> str:
    """The name of an experiment or a model, without white space around it."""
    name = name.strip()
    if not name:
        raise UsageError(f"{what}: its name is empty: give 1 to {MOST_NAME_CHARACTERS} characters")
    _require_text(f"{what} {name[:60]!r}: its name", name, MOST_NAME_CHARACTERS)
    return name


def require_id(text: str, what: str) -> str:
    """An id that a client gave."""
    if _RUN_ID.fullmatch(text) is None:
        raise UsageError(
            f"{what} {text[:60]!r}: an id is a letter or digit, then up to 255 letters, digits, `_` and `-`"
        )
    return text


def require_path(path: str) -> str:
    """A file's logical path.

    Raises:
        UsageError: It is empty, too long, absolute, or has a part that is empty, `.` or `..`, or holds a control
            character or a backslash.
    """
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") for part in parts):
        raise UsageError(
            f"path {path[:60]!r}: it is relative, with single `/` between its parts, none of them `.` or `..`"
        )
    if "\\" in path or any(ord(character) < 32 or ord(character) == 127 for character in path):
        raise UsageError(f"path {path[:60]!r}: it must not hold a backslash or a control character")
    try:
        lengths = [len(part.encode()) for part in parts]
    except UnicodeEncodeError as error:
        raise UsageError(f"path {path[:60]!r}: it cannot be written as UTF-8") from error
    if max(lengths) > MOST_PART_BYTES or sum(lengths) + len(lengths) - 1 > MOST_PATH_BYTES:
        raise UsageError(
            f"path {path[:60]!r}...: it may have {MOST_PATH_BYTES} bytes, and {MOST_PART_BYTES} a part"
        )
    return path


def moment_of(milliseconds: int, what: str) -> datetime:
    """Milliseconds since 1970 as a moment; UsageError where no calendar has it."""
    try:
        return _EPOCH + milliseconds * _MILLISECOND
    except OverflowError as error:
        raise UsageError(f"{what}: {milliseconds} ms since 1970 is no moment of a calendar") from error


def milliseconds_of(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def microseconds_of(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _require_text(what: str, value: str, most: int) -> None:
    if not isinstance(value, str):
        raise UsageError(f"{what}: its value is {type(value).__name__}, not text: write it as text")
    if len(value) > most:
        raise UsageError(f"{what} has {len(value):,} characters: {most:,} are the most")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} cannot be written as UTF-8") from error
