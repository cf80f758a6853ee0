"""Numbers for names and for owners: short keys of the rows, remembered by who writes."""

import sqlite3

from trimtab.adapters.sqlite_run_index.schema import Kind

#: So many are remembered at most; then all are forgotten and looked up again.
_MOST = 50_000


class Numbers:
    """What the writing connection found or gave. Forget everything when a transaction is undone."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._owners: dict[tuple[str, Kind], int] = {}
        #: Number and kind of runs and logged models by the id that their events say.
        self.logging: dict[str, tuple[int, Kind]] = {}

    def forget(self) -> None:
        """Look everything up again from now on."""
        for remembered in (self._names, self._texts, self._owners, self.logging):
            remembered.clear()

    def forget_when_many(self) -> None:
        """Keep what is remembered within bounds."""
        if len(self._names) + len(self._owners) + len(self.logging) > _MOST:
            self.forget()

    def name(self, connection: sqlite3.Connection, text: str) -> int:
        """The number of a name, given where it has none."""
        number = self._names.get(text)
        if number is None:
            row = connection.execute("SELECT n FROM name WHERE text = ?", (text,)).fetchone()
            if row is None:
                number = connection.execute("INSERT INTO name (text) VALUES (?)", (text,)).lastrowid
                assert number is not None
            else:
                number = int(row[0])
            self._names[text] = number
            self._texts[number] = text
        return number

    def text(self, connection: sqlite3.Connection, number: int) -> str:
        """The name with a number."""
        text = self._texts.get(number)
        if text is None:
            (text,) = connection.execute("SELECT text FROM name WHERE n = ?", (number,)).fetchone()
            self._texts[number] = text
        return text

    def owner(self, connection: sqlite3.Connection, kind: Kind, id: str) -> int:
        """The number of an owner, given where it has none."""
        number = self._owners.get((id, kind))
        if number is None:
            number = owner_number(connection, kind, id)
            if number is None:
                number = connection.execute(
                    "INSERT INTO owner (kind, id) VALUES (?, ?)", (kind, id)
                ).lastrowid
                assert number is not None
            self._owners[(id, kind)] = number
            self.logging.pop(id, None)
        return number

    def find_logging(self, connection: sqlite3.Connection, id: str) -> tuple[int, Kind] | None:
        """The run with this id, or the logged model where no run has it."""
        found = self.logging.get(id)
        if found is None:
            found = logging_owner(connection, id)
            if found is not None:
                self.logging[id] = found
        return found


def owner_number(connection: sqlite3.Connection, kind: Kind, id: str) -> int | None:
    """The number of an owner; None where there is none."""
    row = connection.execute("SELECT n FROM owner WHERE id = ? AND kind = ?", (id, kind)).fetchone()
    return None if row is None else int(row[0])


def logging_owner(connection: sqlite3.Connection, id: str) -> tuple[int, Kind] | None:
    """Number and kind of the run with this id, or of the logged model where no run has it."""
    row = connection.execute(
        "SELECT n, kind FROM owner WHERE id = ? AND kind <= ? ORDER BY kind LIMIT 1", (id, Kind.MODEL)
    ).fetchone()
    return None if row is None else (int(row[0]), Kind(row[1]))


def name_number(connection: sqlite3.Connection, text: str) -> int:
    """The number of a name; 0, which none has, where nothing was ever called so."""
    row = connection.execute("SELECT n FROM name WHERE text = ?", (text,)).fetchone()
    return 0 if row is None else int(row[0])
