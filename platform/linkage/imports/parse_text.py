"""Text tables (CSV in the encodings of Chinese offices) and tables in web pages that call themselves .xls."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser

from linkage.imports.refused import CELLS, COLUMNS, FILE_BYTES, ROWS, Refused, Sizes, clean

BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
DELIMITERS = ",\t;，；|"
LINES = 200_000  # empty ones, as a sheet with borders down to the last row leaves them, are passed over
CJK = re.compile("[\u4e00-\u9fff]{2}")
WEB = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|table|head|meta)", re.I | re.S)
MAIL = re.compile(r"\s*(?:MIME-Version|From|Content-Type|Received):", re.I)
Row = tuple[int, dict[int, list[str]]]


def decode(content: bytes) -> tuple[str, str]:
    """BOM, then strict UTF-8, then UTF-16 by its zeros, then strict GB18030 (Excel and WPS in China); else refused."""
    for bom, encoding in BOMS:
        if content.startswith(bom):
            try:
                return content.decode(encoding), encoding.removesuffix("-sig")
            except UnicodeDecodeError as error:
                raise Refused("encoding") from error
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8"), "utf-8"
    if b"\x00" in content:
        return _without_bom(content)
    if _is_mixed(content):
        raise Refused("mixed")
    with suppress(UnicodeDecodeError):
        return content.decode("gb18030"), "gb18030"
    raise Refused("encoding")


def _without_bom(content: bytes) -> tuple[str, str]:
    """UTF-16 by where the zeros of its line ends stand."""
    for encoding, end in (("utf-16-le", b"\n\x00"), ("utf-16-be", b"\x00\n")):
        place = content.find(end)
        if place >= 0 and place % 2 == 0:
            with suppress(UnicodeDecodeError):
                return content.decode(encoding), encoding
    raise Refused("type", what="binary")


def _is_mixed(content: bytes) -> bool:
    """Some lines are Chinese in UTF-8, others are not UTF-8 at all: two files were put together."""
    whole = broken = 0
    for line in content.split(b"\n")[:LINES]:
        if line.isascii():
            continue
        try:
            whole += bool(CJK.search(line.decode("utf-8")))
        except UnicodeDecodeError:
            broken += 1
    return whole > 0 and broken > 0


def text_table(content: bytes, sizes: Sizes) -> Iterator[Row]:
    """The filled rows of a text table, with their numbers.  Raises Refused."""
    text, _encoding = decode(content)
    if "\x00" in text:
        raise Refused("type", what="binary")
    if text.lstrip().startswith(("{\\rtf", "%!PS")):
        raise Refused("type", what="document")
    if WEB.match(text[:4000]):
        yield from _web_table(text, sizes)
        return
    if MAIL.match(text[:200]) or text.lstrip().startswith("<"):
        raise Refused("type", what="xml")
    yield from _rows(text, sizes)


def _rows(text: str, sizes: Sizes) -> Iterator[Row]:
    named = re.match(r"sep=(.)\r?\n", text)
    delimiter = named[1] if named else _delimiter(text)
    if text.count(delimiter) > 4 * CELLS or text.count("\n") > LINES:
        raise Refused("rows", sheet="", rows=ROWS)
    csv.field_size_limit(FILE_BYTES // 4)
    filled = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            cells = {place: ["t", words] for place, value in enumerate(row) if value and (words := _said(value))}
            if cells and not (named and number == 1):
                filled += 1
                sizes.row("", filled, cells)
                yield number, cells
    except csv.Error as error:
        raise Refused("damaged") from error


def _said(value: str) -> str:
    """A cell's words; ="007" is how other programs keep Excel from making a number of it."""
    words = clean(value)
    return clean(words[2:-1]) if len(words) > 2 and words.startswith('="') and words.endswith('"') else words


def _delimiter(text: str) -> str:
    """What the first lines hold most of, outside quotes: comma, tab, semicolon (or their full-width forms)."""
    head = "\n".join(text[:20_000].splitlines()[:10])
    outside = "".join(part for place, part in enumerate(head.split('"')) if place % 2 == 0)
    return max(DELIMITERS, key=outside.count)


class _Tables(HTMLParser):
    """Gathers the rows of every table of a page, cells over several rows and columns included."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[dict[int, list[str]]] = []
        self.open: list[str] | None = None
        self.span = (1, 1)
        self.below: dict[int, tuple[int, list[str]]] = {}  # column → (rows still to come, cell)
        self.skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script"):
            self.skipping += 1
        elif tag == "tr":
            self._close_cell()
            self._begin_row()
        elif tag in ("td", "th") and self.rows:
            self._close_cell()
            given = dict(attrs)
            self.open, self.span = [], (_span(given.get("rowspan"), 1000), _span(given.get("colspan"), COLUMNS))
        elif tag == "br" and self.open is not None:
            self.open.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self.skipping = max(0, self.skipping - 1)
        elif tag in ("td", "th", "tr", "table"):
            self._close_cell()

    def handle_data(self, data: str) -> None:
        if self.open is not None and not self.skipping:
            self.open.append(data)

    def _begin_row(self) -> None:
        if len(self.rows) > LINES:
            raise Refused("rows", sheet="", rows=ROWS)
        self.rows.append({column: cell for column, (_left, cell) in self.below.items()})
        self.below = {column: (left - 1, cell) for column, (left, cell) in self.below.items() if left > 1}

    def _close_cell(self) -> None:
        if self.open is None or not self.rows:
            return
        row = self.rows[-1]
        column = next(place for place in range(len(row) + 1) if place not in row)
        if column > COLUMNS:
            raise Refused("columns", sheet="", columns=COLUMNS)
        cell = ["t", clean("".join(self.open))]
        down, across = self.span
        for place in range(column, column + across):
            row[place] = cell if place == column else ["t", ""]
            if down > 1:
                self.below[place] = (down - 1, row[place])
        self.open = None


def _span(said: str | None, most: int) -> int:
    return max(1, min(int(said), most)) if said and said.isdigit() and len(said) < 6 else 1


def _web_table(text: str, sizes: Sizes) -> Iterator[Row]:
    tables = _Tables()
    tables.feed(text)
    tables.close()
    filled = 0
    for number, row in enumerate(tables.rows, 1):
        cells = {place: cell for place, cell in sorted(row.items()) if cell[1]}
        if cells:
            filled += 1
            sizes.row("", filled, cells)
            yield number, cells
    if not filled:
        raise Refused("type", what="web")
