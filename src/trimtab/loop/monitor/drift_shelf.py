"""What the judging of drift keeps between windows: a past span moves no more."""

from collections.abc import Callable

from trimtab.atoms.content.profile import Profile
from trimtab.loop.monitor.movement import Columns
from trimtab.stats.drift_alarm import Readings


class DriftShelf:
    """Columns of past spans and how far each moved, by the names of the spans that took part."""

    def __init__(self) -> None:
        self._profiles: dict[str, Profile] = {}
        self._columns: dict[str, Columns] = {}
        self._readings: dict[tuple[str, ...], Readings] = {}

    def profile(self, artifact_id: str, read: Callable[[], Profile]) -> Profile:
        """The profile with this id; read where it is not known yet."""
        if artifact_id not in self._profiles:
            self._profiles[artifact_id] = read()
        return self._profiles[artifact_id]

    def columns(self, span: str, read: Callable[[], Columns]) -> Columns:
        """The columns of the span with this name; read where they are not known yet."""
        if span not in self._columns:
            self._columns[span] = read()
        return self._columns[span]

    def readings(self, spans: tuple[str, ...], measure: Callable[[], Readings]) -> Readings:
        """How far the first span moved from the others; measured where it is not known yet."""
        if spans not in self._readings:
            self._readings[spans] = measure()
        return self._readings[spans]
