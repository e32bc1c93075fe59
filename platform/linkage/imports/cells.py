"""From the cells of a group's rows to values: what every kind of file shares."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.imports.kinds import Column, Fault, Row, Scene
from linkage.imports.values import CellFault

ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|ERROR!|SPILL!|CALC!)", re.IGNORECASE)


class CellReader:
    """The cells of a group's rows as values; gathers faults and silent repairs."""

    def __init__(self, rows: Sequence[Row], scene: Scene, columns: Sequence[Column]) -> None:
        self.rows, self.scene, self.columns = rows, scene, columns
        self.faults: list[Fault] = []
        self.repairs: Counter[str] = Counter()
        self.cells = [self._read(place, row) for place, row in enumerate(rows)]

    def _read(self, place: int, row: Row) -> dict[str, Any]:
        """The values of a row's filled cells; a cell that is not understood is a fault and is left out."""
        found = {}
        for column in self.columns:
            if not row.text(column.name):
                continue
            if ERROR.fullmatch(row.text(column.name)):
                self.fault(place, column.name, "error", _l("A formula went wrong here"), _l("Type what it should be."))
                continue
            try:
                value = self.scene.reader(column)(row.cells[column.name])
            except CellFault as fault:
                self.fault(place, column.name, fault.code, fault.message, fault.remedy, fault.fix)
                continue
            found[column.name] = value.meaning
            if value.repair:
                self.repairs[value.repair] += 1
        return found

    def fault(self, row: int, field: str, code: str, message: Any, remedy: Any = None, fix: str | None = None) -> None:
        self.faults.append(Fault(row, field, code, message, remedy, fix))

    def is_faulty(self, row: int, field: str) -> bool:
        return any(fault.row == row and fault.field == field for fault in self.faults)
