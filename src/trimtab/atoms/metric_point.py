"""Metric points and their bytes: what a run measured of itself while it ran, in columns.

One record holds one or more points, little-endian, without padding:

    u8   version, 1
    u8   flags: bit 0: one moment stands for all points
    u16  0
    u32  number of metrics
    u32  number of points, n
    for each metric: u16 number of bytes, its name in UTF-8
    u32  n times: place of the point's metric among the names (left out where there is one metric)
    i64  n times: step
    f64  n times: value, IEEE 754: NaN and the infinities are values like any other
    i64  n times, or once: when, in microseconds since 1970, UTC

A record is read by the version in its first byte; a later form gets another number, and this one stays readable.
"""

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from trimtab.atoms.error import StoreError, UsageError

_VERSION = 1
_ONE_MOMENT = 1
_HEADER = struct.Struct("<BBHII")
_LENGTH = struct.Struct("<H")
_COLUMNS = struct.Struct("<qdq")
#: A record of one point: bytes without the name, and the whole of it by the number of its bytes.
_SOLE_BYTES = _HEADER.size + _LENGTH.size + 24
_SOLE: dict[int, struct.Struct] = {}
#: Longest name of a metric, in bytes of UTF-8.
MOST_NAME_BYTES = 1000
#: Codes under which a buffer holds what `array` holds under the first of them.
_SAME = {"q": ("q", "l") if struct.calcsize("l") == 8 else ("q",), "d": ("d",)}


class Point(NamedTuple):
    """One value of one metric."""

    metric: str
    #: Any whole number of 64 bits; by custom from 0 or 1 on.
    step: int
    value: float
    #: Microseconds since 1970, UTC.
    at_us: int


class Points:
    """Points in columns, in the order in which they were logged; grows by `add` and `extend`."""

    def __init__(self) -> None:
        #: Place of each metric by its name.
        self.names: dict[str, int] = {}
        self.metrics = array("I")
        self.steps = array("q")
        self.values = array("d")
        #: One moment a point, or one for all of them.
        self.at_us = array("q")

    def __len__(self) -> int:
        return len(self.values)

    def add(self, metric: str, step: int, value: float, at_us: int) -> None:
        """Take one more point.

        Raises:
            UsageError: It is no point: the message says why. Nothing was taken.
        """
        place = self.names.get(metric)
        if place is None:
            place = self._name(metric)
        try:
            self.steps.append(step)
            self.at_us.append(at_us)
            self.values.append(value)
        except (TypeError, OverflowError) as error:
            count = len(self.values)
            del self.steps[count:], self.at_us[count:]
            raise _refusal(metric, error) from error
        self.metrics.append(place)

    def extend(self, points: Iterable[Point | tuple[str, int, float, int]]) -> None:
        """Take many points; UsageError as in `add`, where those before it were taken."""
        for metric, step, value, at_us in points:
            self.add(metric, step, value, at_us)

    def __iter__(self) -> Any:
        names = list(self.names)
        moments = self.at_us if len(self.at_us) == len(self) else [self.at_us[0]] * len(self)
        for place, step, value, at_us in zip(self.metrics, self.steps, self.values, moments, strict=True):
            yield Point(names[place], step, value, at_us)

    def _name(self, metric: str) -> int:
        require_name(metric)
        place = self.names[metric] = len(self.names)
        return place


def series_points(
    metric: str, steps: Sequence[int], values: Sequence[float], at_us: int | Sequence[int]
) -> Points:
    """Points of one metric from columns: lists, arrays, or whatever lends its memory (NumPy's arrays do).

    Args:
        metric: Its name.
        steps: Whole numbers, shape (n,).
        values: Numbers, shape (n,).
        at_us: Microseconds since 1970, UTC; one for all, or shape (n,).

    Raises:
        UsageError: The columns do not have one length, or hold something else.
    """
    require_name(metric)
    points = _with_columns(metric, steps, values, at_us)
    points.names[metric] = 0
    points.metrics = array("I", bytes(4 * len(points)))
    return points


def points_of_columns(
    metrics: Sequence[str], steps: Sequence[int], values: Sequence[float], at_us: int | Sequence[int]
) -> Points:
    """Points of any metrics from columns, shape (n,) each; arguments and errors as in `series_points`."""
    names = list(dict.fromkeys(metrics))
    for name in names:
        require_name(name)
    points = _with_columns(names[0] if names else "", steps, values, at_us)
    points.names = {name: place for place, name in enumerate(names)}
    points.metrics = array("I", [points.names[name] for name in metrics])
    if len(points.metrics) != len(points):
        raise UsageError(f"{len(points.metrics)} names and {len(points)} values: give one name a value")
    return points


def encode_points(points: Points) -> bytes:
    """The record of one or more points."""
    count = len(points)
    flags = _ONE_MOMENT if len(points.at_us) == 1 else 0
    pieces = [_HEADER.pack(_VERSION, flags, 0, len(points.names), count)]
    for name in points.names:
        text = name.encode()
        pieces += [_LENGTH.pack(len(text)), text]
    if len(points.names) != 1:
        pieces.append(_little(points.metrics))
    pieces += [_little(points.steps), _little(points.values), _little(points.at_us)]
    return b"".join(pieces)


def encode_point(metric: str, step: int, value: float, at_us: int) -> bytes:
    """The record of one point, as `encode_points` writes it, in a tenth of the time; UsageError where it is none."""
    require_name(metric)
    name = metric.encode()
    try:
        return b"".join(
            (
                _HEADER.pack(_VERSION, _ONE_MOMENT, 0, 1, 1),
                _LENGTH.pack(len(name)),
                name,
                _COLUMNS.pack(step, value, at_us),
            )
        )
    except (struct.error, TypeError, OverflowError) as error:
        raise _refusal(metric, error) from error


def decode_points(record: bytes | memoryview) -> Points:
    """The points of a record, each exactly as it was logged.

    Raises:
        StoreError: The bytes are no record of a version that this Trimtab knows.
    """
    points = Points()
    try:
        version, flags, _, names, count = _HEADER.unpack_from(record)
        if version != _VERSION:
            raise StoreError(
                f"metric points of form {version} are not known here: upgrade Trimtab to read them"
            )
        position = _HEADER.size
        for place in range(names):
            (length,) = _LENGTH.unpack_from(record, position)
            first = position + _LENGTH.size
            position = first + length
            points.names[bytes(record[first:position]).decode()] = place
        view = memoryview(record)[position:]
        if names == 1:
            points.metrics = array("I", bytes(4 * count))
        else:
            points.metrics, view = _taken("I", view, count)
        points.steps, view = _taken("q", view, count)
        points.values, view = _taken("d", view, count)
        points.at_us, view = _taken("q", view, 1 if flags & _ONE_MOMENT else count)
    except (struct.error, ValueError) as error:
        raise StoreError(f"these bytes hold no metric points: {error}") from error
    if len(view) or len(points.names) != names:
        raise StoreError("these bytes hold no metric points: their length does not fit")
    return points


def sole_point(record: bytes) -> tuple[str, int, float, int] | None:
    """What `Point` has, of a record that holds just one, in a fraction of the time; None: see `decode_points`."""
    size = len(record)
    form = _SOLE.get(size)
    if form is None:
        name_bytes = size - _SOLE_BYTES
        if not 0 < name_bytes <= MOST_NAME_BYTES:
            return None
        form = _SOLE[size] = struct.Struct(f"<BBHIIH{name_bytes}sqdq")
    version, _, _, names, count, length, name, step, value, at_us = form.unpack(record)
    if version != _VERSION or names != 1 or count != 1 or length != len(name):
        return None
    try:
        return name.decode(), step, value, at_us
    except UnicodeDecodeError:
        return None


def require_name(metric: str) -> None:
    """UsageError where nothing can be a metric of this name."""
    if not isinstance(metric, str) or not metric or len(metric.encode(errors="replace")) > MOST_NAME_BYTES:
        raise UsageError(f"{str(metric)[:60]!r} names no metric: give a text of 1 to {MOST_NAME_BYTES} bytes")
    try:
        metric.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{metric[:60]!r} names no metric: it cannot be written as UTF-8") from error


def _with_columns(
    metric: str, steps: Sequence[int], values: Sequence[float], at_us: int | Sequence[int]
) -> Points:
    """Points whose metrics are still to be told; `metric` is what an error names."""
    points = Points()
    try:
        points.steps, points.values = _column("q", steps), _column("d", values)
        points.at_us = array("q", [at_us]) if isinstance(at_us, int) else _column("q", at_us)
    except (TypeError, ValueError, OverflowError) as error:
        raise _refusal(metric, error) from error
    count = len(points.values)
    if len(points.steps) != count or (not isinstance(at_us, int) and len(points.at_us) != count):
        raise UsageError(
            f"metric {metric!r}: {len(points.steps)} steps and {count} values: give one step and one moment a value"
        )
    return points


def _column(code: str, values: Sequence[Any]) -> "array[Any]":
    """`values` as an array, without a loop where they lie in memory as they must."""
    try:
        view = memoryview(values)  # type: ignore[arg-type]
    except TypeError:
        return array(code, values)
    if view.ndim != 1:
        raise ValueError(f"it has {view.ndim} dimensions, not 1")
    if view.format in _SAME[code] and view.contiguous:
        column = array(code)
        column.frombytes(view.cast("B"))
        return column
    if view.format.startswith("Z"):
        raise TypeError("must be real number, not complex")
    try:
        return array(code, view.tolist())
    except NotImplementedError:
        # A form that only its owner can read: half floats, another byte order, objects.
        return array(code, list(values))


def _little(column: "array[Any]") -> bytes:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    return column.tobytes()


def _taken(code: str, view: memoryview, count: int) -> "tuple[array[Any], memoryview]":
    column = array(code)
    size = count * column.itemsize
    if len(view) < size:
        raise ValueError(f"{len(view)} bytes are left of {size}")
    column.frombytes(view[:size])
    if sys.byteorder == "big":
        column.byteswap()
    return column, view[size:]


def _refusal(metric: str, error: Exception) -> UsageError:
    return UsageError(
        f"metric {metric!r}: {error}: a point is a whole step and moment of 64 bits and a number as its value"
    )
