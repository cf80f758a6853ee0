"""Cards: each run, logged model and experiment whole, in bytes that are its answer when they are decoded."""

from dataclasses import dataclass, field

import msgspec

from trimtab.atoms.run import (
    Experiment,
    LastPoint,
    LoggedDataset,
    LoggedModel,
    LoggedModelHead,
    ModelLink,
    ModelMetric,
    Run,
    RunHead,
)

#: Head, logged, metrics as they lie in the table.
Stored = tuple[bytes, bytes, bytes]
#: And stamps, which only who changes a card reads.
StoredWhole = tuple[bytes, bytes, bytes, bytes]
#: Name of the metric, run, name and digest of the data.
MetricKey = tuple[str, str, str, str]


class Logged(msgspec.Struct, array_like=True, kw_only=True):
    """What events said about an owner, but for points and files."""

    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}
    datasets: list[LoggedDataset] = []
    models_in: list[ModelLink] = []
    models_out: list[ModelLink] = []


class Stamps(msgspec.Struct, array_like=True, kw_only=True):
    """When the events came that `Logged` is from, in microseconds: what is taken in later may be of earlier."""

    parameters: dict[str, int] = {}
    #: Also of those that were taken away.
    tags: dict[str, int] = {}
    #: First and last moment of each, in the order of `Logged`.
    datasets: list[tuple[int, int]] = []
    models_in: list[tuple[int, int]] = []
    models_out: list[tuple[int, int]] = []


@dataclass(slots=True)
class Card:
    """A card that is being changed."""

    head: bytes
    logged: Logged = field(default_factory=Logged)
    #: Of a run.
    last: dict[str, LastPoint] = field(default_factory=dict)
    #: Of a logged model.
    measured: dict[MetricKey, ModelMetric] = field(default_factory=dict)
    stamps: Stamps = field(default_factory=Stamps)

    def stored(self) -> StoredWhole:
        """As it lies in the table."""
        metrics = list(self.measured.values()) if self.measured else self.last
        return self.head, ENCODER.encode(self.logged), ENCODER.encode(metrics), ENCODER.encode(self.stamps)


ENCODER = msgspec.msgpack.Encoder()
_STAMPS = msgspec.msgpack.Decoder(Stamps)
_LOGGED = msgspec.msgpack.Decoder(Logged)
_LAST = msgspec.msgpack.Decoder(dict[str, LastPoint])
_METRICS = msgspec.msgpack.Decoder(dict[str, LastPoint] | list[ModelMetric])
_RUN = msgspec.msgpack.Decoder(RunHead)
_MODEL = msgspec.msgpack.Decoder(LoggedModelHead)
_EXPERIMENT = msgspec.msgpack.Decoder(Experiment)


def card_of(stored: StoredWhole) -> Card:
    """A stored card, to be changed."""
    head, logged, metrics, stamps = stored
    card = Card(head, _LOGGED.decode(logged), stamps=_STAMPS.decode(stamps))
    found = _METRICS.decode(metrics)
    if isinstance(found, dict):
        card.last = found
    else:
        card.measured = {(each.name, each.run, *each.dataset): each for each in found}
    return card


def run_of(stored: Stored) -> Run:
    """The run of a card."""
    head, logged, metrics = stored
    told = _LOGGED.decode(logged)
    return Run(
        head=_RUN.decode(head),
        parameters=told.parameters,
        tags=told.tags,
        metrics=_LAST.decode(metrics),
        datasets=tuple(told.datasets),
        models_in=tuple(told.models_in),
        models_out=tuple(told.models_out),
    )


def model_of(stored: Stored) -> LoggedModel:
    """The logged model of a card; metrics by name, run and data."""
    head, logged, metrics = stored
    told, found = _LOGGED.decode(logged), _METRICS.decode(metrics)
    measured = found if isinstance(found, list) else []
    return LoggedModel(
        head=_MODEL.decode(head),
        parameters=told.parameters,
        tags=told.tags,
        metrics=tuple(sorted(measured, key=lambda each: (each.name, each.run, each.dataset))),
    )


def experiment_of(stored: Stored) -> Experiment:
    """The experiment of a card."""
    return _EXPERIMENT.decode(stored[0])


def encode_head(head: Experiment | RunHead | LoggedModelHead) -> bytes:
    """A head as it lies on its card."""
    return ENCODER.encode(head)
