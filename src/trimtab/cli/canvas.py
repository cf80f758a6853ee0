"""A drawing in a terminal: dots of Braille, eight in each character, a line of them at a time."""

from typing import NamedTuple

#: Dots of a character, across and down.
ACROSS, DOWN = 2, 4
#: Bit of a dot in a Braille character, by its row and column.
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Cell(NamedTuple):
    """One character of the drawing."""

    text: str
    #: Number of the line that was drawn last in it; -1: none.
    pen: int


class Canvas:
    """Dots from (0, 0), the lower left one; what lies outside is not drawn."""

    def __init__(self, columns: int, rows: int, *, plain: bool = False) -> None:
        """
        Args:
            columns: In characters.
            rows: In characters.
            plain: The terminal has no Braille: a character with any dot is its line's letter.
        """
        self.columns, self.rows = columns, rows
        self.width, self.height = columns * ACROSS, rows * DOWN
        self._plain = plain
        self._bits = [[0] * columns for _ in range(rows)]
        self._pens = [[-1] * columns for _ in range(rows)]
        self._letters: dict[tuple[int, int], str] = {}

    def dot(self, x: int, y: int, pen: int) -> None:
        """Set one dot."""
        if 0 <= x < self.width and 0 <= y < self.height:
            down = self.height - 1 - y
            row, column = down // DOWN, x // ACROSS
            self._bits[row][column] |= _BITS[down % DOWN][x % ACROSS]
            self._pens[row][column] = pen

    def line(self, start: tuple[int, int], end: tuple[int, int], pen: int) -> None:
        """Set the dots between two, both included (Bresenham 1965)."""
        (x, y), (last_x, last_y) = start, end
        across, down = abs(last_x - x), -abs(last_y - y)
        step_x, step_y = (1 if x < last_x else -1), (1 if y < last_y else -1)
        error = across + down
        while True:
            self.dot(x, y, pen)
            if (x, y) == (last_x, last_y):
                return
            doubled = 2 * error
            if doubled >= down:
                error += down
                x += step_x
            if doubled <= across:
                error += across
                y += step_y

    def letter(self, x: int, y: int, text: str, pen: int) -> bool:
        """Write a letter over the character that holds a dot; False, and nothing is written, where one is already."""
        row, column = (self.height - 1 - y) // DOWN, x // ACROSS
        if (row, column) in self._letters or not (0 <= row < self.rows and 0 <= column < self.columns):
            return False
        self._letters[row, column] = text
        self._pens[row][column] = pen
        return True

    def lines(self) -> list[list[Cell]]:
        """The characters, from the top line to the lowest one."""
        return [[self._cell(row, column) for column in range(self.columns)] for row in range(self.rows)]

    def _cell(self, row: int, column: int) -> Cell:
        pen = self._pens[row][column]
        if (row, column) in self._letters:
            return Cell(self._letters[row, column], pen)
        bits = self._bits[row][column]
        if not bits:
            return Cell(" ", -1)
        return Cell("*" if self._plain else chr(0x2800 + bits), pen)
