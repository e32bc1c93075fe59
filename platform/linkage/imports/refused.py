"""What the child process that reads files may use, and how it says no. Imports nothing but the standard library."""

from __future__ import annotations

from typing import Any

MEMORY_BYTES = 300 * 2**20  # of address space, and so at most that much in use
CPU_SECONDS = 8
FILE_BYTES = 10 * 2**20
UNPACKED_BYTES = 64 * 2**20
ZIP_ENTRIES = 1000
DIRECTORY_BYTES = 512 * 1024  # of an archive's directory
ROWS = 20_000  # below the heading
SPARE_ROWS = 100  # titles and headings beside them
LAST_ROW = 70_000  # a filled cell further down is refused before a table so tall is laid out
COLUMNS = 200
CELLS = 1_000_000
STYLES = 70_000
MERGED = 50_000
CELL_CHARACTERS = 2000
CHARACTERS = 16 * 2**20  # of all cells together: one long word may stand in each of them

Cell = list[str]
EMPTY: Cell = ["", ""]


class Refused(Exception):
    """The file is not read; `code` says why."""

    def __init__(self, code: str, **detail: Any) -> None:
        super().__init__(code)
        self.answer = {"refused": code, **detail}


class Sizes:
    """Counts what was read of a file, over all its sheets.  Raises Refused beyond the limits."""

    def __init__(self) -> None:
        self.cells = self.characters = 0

    def row(self, sheet: str, filled_rows: int, cells: dict[int, Cell]) -> None:
        """One more row of `sheet`, the `filled_rows`th."""
        if filled_rows > ROWS + SPARE_ROWS:
            raise Refused("rows", sheet=sheet, rows=ROWS)
        if max(cells) >= COLUMNS:
            raise Refused("columns", sheet=sheet, columns=COLUMNS)
        self.cells += len(cells)
        self.characters += sum(len(cell[1]) for cell in cells.values())
        if self.cells > CELLS:
            raise Refused("rows", sheet=sheet, rows=ROWS)
        if self.characters > CHARACTERS:
            raise Refused("unpacked", megabytes=CHARACTERS // 2**20)


def clean(text: str) -> str:
    """Text without what no table shows: control characters, halves of characters, marks of direction and order."""
    if text.isascii() and text.isprintable():
        return text.strip()[:CELL_CHARACTERS]
    # Rare characters of names stand in the private area of old fonts.
    kept = "".join(c for c in text if c.isprintable() or c in "\n\t\u3000\u00a0" or "\ue000" <= c <= "\uf8ff")
    return kept.replace("\u00a0", " ").strip()[:CELL_CHARACTERS]
