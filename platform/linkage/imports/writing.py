"""Files that leave: the template to fill in, and the rows that still have faults. Numbers of 18 digits stay text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import xlsxwriter
from flask_babel import get_locale
from flask_babel import gettext as _

from linkage.core.exports import plain_text
from linkage.core.formats import format_long_date
from linkage.imports.kinds import Column, Examined, Fault, Kind, Row, Scene
from linkage.imports.understanding import letter_of

PART_COLOURS = {"household": "#e3f1f2", "person": "#e9eefa", "need": "#fdf0d9"}
EMPTY_ROWS = 500


def template(kind: Kind, today: date, scene: Scene | None = None) -> bytes:
    """The file to fill in: headings, text cells, lists to choose from, and a second sheet with hints and examples."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": str(kind.title), "comments": "", "created": datetime.combine(today, time())})
    sheet = book.add_worksheet(_("Fill in"))
    text = book.add_format({"num_format": "@"})
    for place, column in enumerate(kind.columns):
        sheet.set_column(place, place, column.width, text)
        sheet.write_string(0, place, _heading(column), _head(book, column))
        if column.hint:
            sheet.write_comment(0, place, str(column.hint))
        _offer(sheet, place, column, scene)
    sheet.freeze_panes(1, 3)
    _hints(book, kind, today)
    book.close()
    return file.getvalue()


def _heading(column: Column) -> str:
    return f"{column.heading}*" if column.required else column.heading


def _head(book: Any, column: Column) -> Any:
    colour = PART_COLOURS.get(column.part, "#f1f4f3")
    return book.add_format(
        {"bold": True, "bg_color": colour, "border": 1, "border_color": "#dde4e4", "num_format": "@"}
    )


def _offer(sheet: Any, place: int, column: Column, scene: Scene | None) -> None:
    """A list to choose from, where one value of a short list is meant (Excel allows 255 characters)."""
    if column.options is None or column.several or scene is None:
        return
    words = _own_words(list(column.options(scene)))
    if words and len(",".join(words)) <= 255:
        sheet.data_validation(
            1, place, EMPTY_ROWS, place, {"validate": "list", "source": words, "error_type": "information"}
        )


def _own_words(words: list[str]) -> list[str]:
    """Of the words in both languages, the reader's."""
    locale = get_locale()
    chinese = locale is None or locale.language == "zh"
    return [word for word in words if chinese == any("\u3400" <= character <= "\u9fff" for character in word)]


def _hints(book: Any, kind: Kind, today: date) -> None:
    sheet = book.add_worksheet(_("How to fill in"))
    bold = book.add_format({"bold": True, "text_wrap": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    sheet.set_column(0, 0, 22, wrap)
    sheet.set_column(1, 1, 60, wrap)
    sheet.set_column(2, 4, 24, wrap)
    lines = [
        *(str(rule) for rule in kind.rules),
        _("Numbers of 18 digits must be text (they are, in this file): Excel rounds them otherwise."),
        _("As of %(day)s.", day=format_long_date(today)),
    ]
    for number, line in enumerate(lines):
        sheet.write_string(number, 0, line, book.add_format({}))
    start = len(lines) + 1
    examples = kind.example_rows()
    for place, words in enumerate((_("Column"), _("What to write"), *(_("Example") for _row in examples))):
        sheet.write_string(start, place, words, bold)
    for number, column in enumerate(kind.columns, start + 1):
        sheet.write_string(number, 0, _heading(column), wrap)
        sheet.write_string(number, 1, str(column.hint), wrap)
        for place, row in enumerate(examples, 2):
            sheet.write_string(number, place, row.get(column.name, ""), wrap)


def faulty_rows(kind: Kind, groups: Sequence[tuple[list[Row], Examined]]) -> bytes:
    """The groups that wait, in the template's columns, each fault's remedy beside its row and its cell marked."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(_("To correct"))
    text, marked = book.add_format({"num_format": "@"}), book.add_format({"num_format": "@", "bg_color": "#fdebe8"})
    for place, column in enumerate(kind.columns):
        sheet.set_column(place, place, column.width, text)
        sheet.write_string(0, place, _heading(column), _head(book, column))
    remedies = len(kind.columns)
    sheet.set_column(remedies, remedies, 60)
    sheet.write_string(0, remedies, _("How to correct"), book.add_format({"bold": True}))
    number = 1
    for rows, examined in groups:
        for place, row in enumerate(rows):
            faults = [fault for fault in examined.faults if fault.row == place]
            bad = {fault.field for fault in faults}
            for position, column in enumerate(kind.columns):
                words = plain_text(row.text(column.name))
                if words or column.name in bad:
                    sheet.write_string(number, position, words, marked if column.name in bad else text)
            sheet.write_string(number, remedies, " ".join(_sentence(kind, fault) for fault in faults))
            number += 1
    sheet.freeze_panes(1, 3)
    book.close()
    return file.getvalue()


def _sentence(kind: Kind, fault: Fault) -> str:
    return f"{letter_of(_position(kind, fault.field))}: {fault.message}. {fault.remedy or ''}".strip()


def _position(kind: Kind, name: str) -> int:
    return next(place for place, column in enumerate(kind.columns) if column.name == name)
