"""What an .xlsx holds, looked at before anything opens it: every part is unpacked once, in pieces, and counted.

A part that is larger than its archive says, holds another archive, a document type, a macro or a link to outside, or
a sheet with a filled cell far away, is refused here; the reader sees honest files only.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from xml.etree import ElementTree  # noqa: S405 (two small parts of an archive without entities)

from linkage.imports.refused import (
    CELLS,
    COLUMNS,
    DIRECTORY_BYTES,
    LAST_ROW,
    MERGED,
    ROWS,
    STYLES,
    UNPACKED_BYTES,
    ZIP_ENTRIES,
    Refused,
)

PIECE = 1 << 18
OVERLAP = 400  # a tag that lies over the edge of two pieces is seen whole in the second
END_OF_ARCHIVE = b"PK\x05\x06"
PACKED = (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"MZ", b"\x7fELF", b"%PDF",
          b"\xd0\xcf\x11\xe0")  # fmt: skip
PACKED_NAMES = (".zip", ".rar", ".7z", ".gz", ".jar", ".exe", ".dll", ".xlsx", ".xls", ".docx", ".doc", ".js", ".vbs",
                ".bat", ".cmd", ".ps1", ".msi", ".lnk")  # fmt: skip
MACROS = re.compile(r"vbaproject|/macrosheets/|/activex/|/dialogsheets/|/ctrlprops/.*\.js", re.IGNORECASE)
CELL = re.compile(rb"<(?:\w+:)?c(?=[\s>])([^>]*[^>/]|)>")
REFERENCE = re.compile(rb"\sr\s*=\s*[\"']\$?([A-Za-z]{1,4})\$?(\d{1,9})[\"']")
ERROR = re.compile(rb"\st\s*=\s*[\"']e[\"']")
ERRORS = 20_000
ROW = re.compile(rb"<(?:\w+:)?row[\s>]")
OUTSIDE = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*TargetMode\s*=\s*[\"']External[\"'][^>]*>", re.IGNORECASE)


Place = tuple[int, int]  # row and column, from 0


def look_into(content: bytes) -> dict[str, set[Place]]:
    """Raise Refused for an archive that is no honest workbook; gives where formulas went wrong, by sheet."""
    entries = _entries(content)
    names = [entry.filename for entry in entries]
    lower = [name.lower() for name in names]
    if any(MACROS.search(name) for name in lower):
        raise Refused("macros")
    if not any(name.startswith(("xl/", "xl\\")) for name in lower):
        raise Refused("type", what=_other_kind(lower))
    if "xl/workbook.bin" in lower:
        raise Refused("type", what="xlsb")
    if len(set(lower)) < len(lower) or any(_walks(name) for name in names):
        raise Refused("unsafe")
    if any(name.startswith("xl/externallinks/") or name == "xl/connections.xml" for name in lower):
        raise Refused("links")
    if any(name.endswith(PACKED_NAMES) for name in lower):
        raise Refused("packed")
    errors = _unpack(content, entries)
    return _by_sheet(content, errors) if errors else {}


def _by_sheet(content: bytes, errors: dict[str, set[Place]]) -> dict[str, set[Place]]:
    """The places by the sheet's name instead of its part's."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 (no entities: looked at above)
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (KeyError, ElementTree.ParseError) as error:
        raise Refused("damaged") from error
    parts = {link.get("Id"): (link.get("Target") or "").removeprefix("/xl/") for link in links}
    found: dict[str, set[Place]] = {}
    for sheet in book.iter():
        if sheet.tag.endswith("}sheet"):
            link = next((value for name, value in sheet.items() if name.endswith("}id")), "")
            found[sheet.get("name") or ""] = errors.get(f"xl/{parts.get(link, '')}".lower(), set())
    return found


def _entries(content: bytes) -> list[zipfile.ZipInfo]:
    """The archive's directory; its size is asked before it is read."""
    end = content.rfind(END_OF_ARCHIVE)
    if end < 0 or len(content) < end + 22:
        raise Refused("damaged")
    count, size = struct.unpack("<HL", content[end + 10 : end + 16])
    if count > ZIP_ENTRIES or size > DIRECTORY_BYTES:
        raise Refused("unpacked", megabytes=UNPACKED_BYTES // 2**20)
    try:
        entries = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, UnicodeDecodeError) as error:
        raise Refused("damaged") from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("password")
    if any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries):
        raise Refused("unsafe")
    if len(entries) > ZIP_ENTRIES or sum(entry.file_size for entry in entries) > UNPACKED_BYTES:
        raise Refused("unpacked", megabytes=UNPACKED_BYTES // 2**20)
    return entries


def _other_kind(names: list[str]) -> str:
    if "mimetype" in names and "content.xml" in names:
        return "ods"
    if any(name.startswith(("word/", "ppt/")) for name in names):
        return "document"
    return "archive"


def _walks(name: str) -> bool:
    """A name that would lead out of the folder it is unpacked to, or that hides something."""
    parts = name.replace("\\", "/").split("/")
    return name.startswith("/") or ":" in name or ".." in parts or not name.isprintable()


def _unpack(content: bytes, entries: list[zipfile.ZipInfo]) -> dict[str, set[Place]]:
    errors: dict[str, set[Place]] = {}
    archive = zipfile.ZipFile(io.BytesIO(content))
    total = 0
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("damaged")
        look = _look_of(entry.filename.lower())
        before = b""
        try:
            with archive.open(entry) as part:
                while piece := part.read(PIECE):
                    if not before and piece.startswith(PACKED):
                        raise Refused("packed")
                    total += len(piece)
                    if total > UNPACKED_BYTES:
                        raise Refused("unpacked", megabytes=UNPACKED_BYTES // 2**20)
                    look.see(before, piece)
                    before = piece[-OVERLAP:]
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError) as error:
            raise Refused("damaged") from error
        look.end()
        if isinstance(look, SheetLook) and look.errors:
            errors[entry.filename.lower()] = look.errors
    return errors


class Look:
    """Looks at a part in pieces. `before`: the end of the piece before, so that a tag over the edge is seen."""

    def see(self, before: bytes, piece: bytes) -> None:
        """One more piece."""

    def end(self) -> None:
        """The part is over."""


class XmlLook(Look):
    """No document types and no entities; in one byte order."""

    def see(self, before: bytes, piece: bytes) -> None:
        if not before and piece[:2] in (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00"):
            raise Refused("unsafe")
        seam = before + piece
        if b"<!DOCTYPE" in seam or b"<!ENTITY" in seam:
            raise Refused("unsafe")
        self.look(seam, len(before))

    def look(self, seam: bytes, known: int) -> None:
        """`seam` begins with `known` bytes that were seen before."""

    @staticmethod
    def fresh(pattern: re.Pattern[bytes], seam: bytes, known: int) -> list[re.Match[bytes]]:
        """The matches that end in the new part (a match is counted once)."""
        return [found for found in pattern.finditer(seam) if found.end() > known]


class SheetLook(XmlLook):
    """How far the filled cells of a sheet reach, and how many there are."""

    def __init__(self) -> None:
        self.cells = self.merged = 0
        self.errors: set[Place] = set()

    def look(self, seam: bytes, known: int) -> None:
        for found in self.fresh(CELL, seam, known):
            self.cells += 1
            reference = REFERENCE.search(found[1])
            if reference is not None:
                self._reaches(reference[1].upper(), int(reference[2]))
                if ERROR.search(found[1]) and len(self.errors) < ERRORS:
                    self.errors.add((int(reference[2]) - 1, _position(reference[1].upper())))
        if self.cells > CELLS:
            raise Refused("rows", sheet="", rows=ROWS)
        self.merged += seam.count(b"<mergeCell ", max(0, known - 10))
        if self.merged > MERGED:
            raise Refused("unpacked", megabytes=UNPACKED_BYTES // 2**20)

    def _reaches(self, letters: bytes, row: int) -> None:
        if row > LAST_ROW:
            raise Refused("rows", sheet="", rows=ROWS)
        if _position(letters) >= COLUMNS:
            raise Refused("columns", sheet="", columns=COLUMNS)


def _position(letters: bytes) -> int:
    """A → 0, AA → 26."""
    column = 0
    for letter in letters:
        column = column * 26 + letter - 64
    return column - 1


class StyleLook(XmlLook):
    """A style for every cell that ever was makes a file of minutes."""

    def __init__(self) -> None:
        self.styles = 0

    def look(self, seam: bytes, known: int) -> None:
        self.styles += seam.count(b"<xf ", max(0, known - 3))
        if self.styles > STYLES:
            raise Refused("unpacked", megabytes=UNPACKED_BYTES // 2**20)


class TypesLook(XmlLook):
    """The list of what the parts are."""

    def look(self, seam: bytes, known: int) -> None:
        if b"macroenabled" in seam.lower() or b"vbaproject" in seam.lower():
            raise Refused("macros")


class LinksLook(XmlLook):
    """A link that people click on is nothing; data, pictures and templates from elsewhere are."""

    def look(self, seam: bytes, known: int) -> None:
        for found in OUTSIDE.finditer(seam):
            if b"/hyperlink" not in found[0]:
                raise Refused("links")


def _look_of(name: str) -> Look:
    if "/worksheets/" in name and name.endswith(".xml"):
        return SheetLook()
    if name.endswith(".rels"):
        return LinksLook()
    if name == "[content_types].xml":
        return TypesLook()
    if name == "xl/styles.xml":
        return StyleLook()
    return XmlLook() if name.endswith((".xml", ".vml")) else Look()
