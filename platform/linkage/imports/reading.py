"""From an uploaded file to sheets: starts the limited child and turns its answer, or its death, into words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core.errors import InvalidInput

SECONDS = 30
Cell = list[str]  # [kind, text]: see linkage.imports.parse


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


def read_sheets(content: bytes) -> list[Sheet]:
    """Parse `content` in a child process with limits on memory, time and size.

    Raises
    ------
    FileRefused
        wrong type, too large, damaged, with macros or a password, or it brought the child down.
    """
    answer = _ask_child(content)
    if "refused" in answer:
        raise _refusal(answer)
    return [
        Sheet(sheet["name"], [(number, cells) for number, cells in sheet["rows"]], sheet["merged"])
        for sheet in answer["sheets"]
    ]


def _ask_child(content: bytes) -> dict[str, Any]:
    """The file goes through a pipe and never onto the disk."""
    search = [entry for entry in sys.path if entry and Path(entry).exists()]
    keep = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    try:
        child = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "linkage.imports.parse"],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            cwd="/" if os.name == "posix" else None,
            env={**keep, "PYTHONPATH": os.pathsep.join(search), "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"refused": "slow"}
    if child.returncode != 0:
        return {"refused": "died"}
    answer: dict[str, Any] = json.loads(child.stdout)
    return answer


KINDS_OF_FILE = {
    "pdf": _l("This is a PDF, not a table."),
    "picture": _l("This is a picture, not a table."),
    "archive": _l("This is a packed archive, not a table."),
    "document": _l("This is a document, not a table."),
    "binary": _l("This is not a table."),
}


def _refusal(answer: dict[str, Any]) -> FileRefused:
    reason = answer["refused"]
    if reason == "type":
        message = KINDS_OF_FILE[answer["what"]]
        return FileRefused(reason, message, _l("Choose an Excel file (.xlsx, .xls) or a CSV file."))
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
        "slow": (_l("Reading the file took too long."), template),
        "died": (_l("The file cannot be read: it is damaged, or far larger than it looks."), template),
    }
