"""From an uploaded file to sheets: starts the limited child and turns its answer, or its death, into words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core.errors import InvalidInput
from linkage.imports.refused import FILE_BYTES

SECONDS = 30  # the processor time is limited by the child itself; this holds where the machine is busy
BAD_NAMES = (".xlsm", ".xltm", ".xlam", ".xla", ".xlt")
Cell = list[str]  # [kind, text]: see linkage.imports.parse
EMPTY: Cell = ["", ""]


@dataclass(frozen=True)
class Sheet:
    """A visible sheet: its rows with their numbers as in the file, and how many merged cells were filled in."""

    name: str
    rows: list[tuple[int, list[Cell]]]
    merged: int


class FileRefused(InvalidInput):
    """The file is not read at all; `reason` is the code for programs, the message is for people."""

    def __init__(self, reason: str, message: Any, remedy: Any = None) -> None:
        super().__init__(message, field="file", remedy=remedy)
        self.reason = reason


def check_name(name: str) -> str:
    """The file's name as it may be shown.

    Raises
    ------
    FileRefused
        it leads to another folder, hides characters, or names a kind of file that carries macros.
    """
    if not name.isprintable() or any(mark in name for mark in "/\\") or name in ("", ".", ".."):
        raise FileRefused(
            "name",
            _l("The file's name has a path in it, or characters that cannot be seen."),
            _l("Rename the file to plain words, for example “roster.xlsx”."),
        )
    if name.lower().endswith(BAD_NAMES):
        raise _refusal({"refused": "macros"})
    return name[:120]


def content_of(file: Path) -> bytes:
    """The file's bytes, one more than is allowed at most.  Raises FileRefused where it cannot be opened."""
    try:
        if not file.is_file():  # a pipe or a device may never end
            raise FileNotFoundError(file)
        with file.open("rb") as opened:
            return opened.read(FILE_BYTES + 1)
    except OSError as error:
        what = _l("This is a folder, not a file.") if file.is_dir() else _l("The file cannot be opened.")
        raise FileRefused("unreadable", what, _l("Compare the file's name and who may read it.")) from error


def read_sheets(content: bytes, name: str = "") -> list[Sheet]:
    """Parse `content` in a child process with limits on memory, time and size.

    Raises
    ------
    FileRefused
        wrong type, too large, damaged, with macros or a password, or it brought the child down.
    """
    if name:
        check_name(name)
    return _sheets(_ask_child(content))


def _sheets(lines: Iterable[bytes]) -> list[Sheet]:
    """The child's answer as sheets. An answer that breaks off is a child that died."""
    sheets: list[Sheet] = []
    title, rows = "", []
    for line in lines:
        said = json.loads(line)
        if isinstance(said, list):
            rows.append((said[0], _row(said[1])))
        elif "sheet" in said and "refused" not in said:
            title, rows = said["sheet"], []
        elif "merged" in said:
            sheets.append(Sheet(title, rows, said["merged"]))
        elif "refused" in said:
            raise _refusal(said)
        else:
            return sheets
    raise _refusal({"refused": "died"})


def _row(cells: dict[str, Cell]) -> list[Cell]:
    places = {int(place): cell for place, cell in cells.items()}
    return [places.get(place, EMPTY) for place in range(max(places) + 1)]


def child_command() -> list[str]:
    return [sys.executable, "-m", "linkage.imports.parse"]


def child_environment() -> dict[str, str]:
    """The child gets the way to its modules and nothing else: no secrets, no addresses."""
    search = [entry for entry in sys.path if entry and Path(entry).exists()]
    keep = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return {**keep, "PYTHONPATH": os.pathsep.join(search), "PYTHONDONTWRITEBYTECODE": "1"}


def _ask_child(content: bytes) -> list[bytes]:
    """The file goes through a pipe and never onto the disk."""
    try:
        child = subprocess.run(  # noqa: S603
            child_command(),
            input=content,
            capture_output=True,
            timeout=SECONDS,
            cwd="/" if os.name == "posix" else None,
            env=child_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [b'{"refused": "slow"}']
    if child.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return [b'{"refused": "slow"}']
    if child.returncode != 0:
        return [b'{"refused": "died"}']
    return child.stdout.splitlines()


KINDS_OF_FILE = {
    "pdf": _l("This is a PDF, not a table."),
    "picture": _l("This is a picture, not a table."),
    "archive": _l("This is a packed archive, not a table."),
    "document": _l("This is a document, not a table."),
    "binary": _l("This is not a table."),
    "program": _l("This is a program, not a table."),
    "web": _l("This is a web page without a table in it."),
    "xml": _l("This is a web archive or another text, not a table."),
    "ods": _l("This is an OpenDocument table, which is not read here."),
    "xlsb": _l("This is a binary workbook (.xlsb), which is not read here."),
}


def _refusal(answer: dict[str, Any]) -> FileRefused:
    reason = answer["refused"]
    if reason == "type":
        message = KINDS_OF_FILE[answer["what"]]
        return FileRefused(
            reason,
            message,
            _l("Choose an Excel file (.xlsx, .xls) or a CSV file; save another kind as .xlsx from Excel or WPS."),
        )
    message, remedy = _sentences(answer)[reason]
    return FileRefused(reason, message, remedy)


def _sentences(answer: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    number = answer.get("megabytes", 0)
    template = _l("Copy the rows into the template and upload that.")
    return {
        "empty": (_l("The file is empty."), _l("Choose the file with the rows in it.")),
        "large": (
            _l("The file is larger than %(number)s MB.", number=number),
            _l("Leave out pictures, or split it into several files."),
        ),
        "unpacked": (_l("Unpacked, the file would be larger than %(number)s MB.", number=number), template),
        "damaged": (_l("The file is damaged and cannot be opened."), _l("Open it in Excel or WPS and save it again.")),
        "macros": (
            _l("The file contains macros; such files are not accepted."),
            _l("Save it as an Excel workbook without macros (.xlsx)."),
        ),
        "password": (_l("The file is protected by a password."), _l("Save a copy without the password.")),
        "rows": (
            _l("The sheet has more than %(number)s rows.", number=answer.get("rows", 0)),
            _l("Split it into several files."),
        ),
        "columns": (
            _l("The sheet has more than %(number)s columns.", number=answer.get("columns", 0)),
            template,
        ),
        "encoding": (
            _l("The characters of this text file are not understood."),
            _l("Save it from Excel or WPS as “CSV UTF-8”."),
        ),
        "mixed": (
            _l("The text file is in two encodings: some lines are UTF-8, others are not."),
            _l("Open it in Excel or WPS, see that every line is readable, and save it as “CSV UTF-8”."),
        ),
        "links": (
            _l("The file takes data from other files or addresses; such files are not accepted."),
            _l("Copy the cells, paste them as values into a new workbook, and upload that."),
        ),
        "packed": (
            _l("Another file is packed inside this one; such files are not accepted."),
            _l("Delete the embedded objects, or copy the rows into the template."),
        ),
        "unsafe": (_l("The file is built in a way that no spreadsheet program writes."), template),
        "slow": (_l("Reading the file took too long."), template),
        "died": (_l("The file cannot be read: it is damaged, or far larger than it looks."), template),
    }
