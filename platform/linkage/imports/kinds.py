"""What the importer knows of a kind of file: its columns, how rows form groups, what a group means.

A new kind is one `Kind`: its columns (name, words, reader, example), a function that puts rows into groups, one that
examines a group (faults, differences), and one that takes it in. The rest (files, pages, commands, template, staging,
re-import) is the same for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from linkage.areas.models import Area
from linkage.core.formats import chinese
from linkage.core.permissions import Actor
from linkage.imports import values
from linkage.imports.values import Cell, Reader

MISSING = "+"  # a cell of a column that the file does not have is kept under "+" and the field's name


@dataclass(frozen=True)
class Column:
    """One column of the template.

    Attributes
    ----------
    name : the field
    label : the heading in English (and what it is called on forms)
    words : other headings that mean the same, in any language; the first is the usual one in Chinese rosters
    read : from a cell to a value; or `options` gives the words of a choice, from the context
    part : of what it is a fact ("household", "person", "need"), for the template's colours
    private : masked where it is shown beside others
    """

    name: str
    label: Any
    words: tuple[str, ...]
    part: str
    read: Reader | None = None
    options: Callable[[Any], Mapping[str, Any]] | None = None
    several: bool = False
    hint: Any = ""
    examples: tuple[str, ...] = ()
    required: bool = False
    private: Callable[[str], str] | None = None
    width: int = 14

    @property
    def heading(self) -> str:
        """What the template says above the column, in the reader's language."""
        return self.words[0] if chinese() else str(self.label)


@dataclass
class Row:
    """A row of the file: its sheet and number, and the cells by field.

    `letters` names the column of each field; `was` holds what stood in a cell before it was corrected.
    """

    sheet: str
    number: int
    cells: dict[str, Cell]
    letters: dict[str, str] = field(default_factory=dict)
    was: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.cells.get(name, ["", ""])[1].strip()

    def place(self, name: str) -> str:
        """Where the field stands: its column's letter, or "+name" where the file has no such column."""
        return self.letters.get(name, MISSING + name)


@dataclass(frozen=True)
class Fault:
    """One thing to put right. `row` is the place in the group's rows; `fix` the right text where it is certain."""

    row: int
    field: str
    code: str
    message: Any
    remedy: Any = None
    fix: str | None = None


@dataclass(frozen=True)
class Change:
    """A difference between the file and what is stored.

    `edited`: somebody changed it since the last import (or it never came from one): it stays unless ticked.
    `seen` is a blind index of what is stored now: a tick holds only while that is still so.
    """

    key: str
    about: str
    label: Any
    old: str
    new: str
    edited: bool = False
    seen: str = ""


@dataclass
class Examined:
    """What a group means. `state`: new, changed or same. `plan` is the kind's own.

    `title`, `number`, `where` are what people know it by; `keys` are what only one group of a file may have.
    """

    faults: list[Fault]
    state: str = "new"
    people: int = 0
    needs: int = 0
    changes: list[Change] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)
    plan: Any = None
    title: str = ""
    number: str = ""
    where: str = ""
    keys: list[tuple[str, int, str]] = field(default_factory=list)  # (blind index, row, field): once in a file


@dataclass(frozen=True)
class Scene:
    """In what surroundings a file is read: for which area, by whom, on which day; and what the kind looked up.

    `readers` keeps the reader of each column, once it is made.
    """

    area: Area
    actor: Actor
    today: date
    looked_up: Any = None
    readers: dict[str, Reader] = field(default_factory=dict)

    def reader(self, column: Column) -> Reader:
        """The reader of a column; choices take their options from here."""
        if column.name not in self.readers:
            self.readers[column.name] = self._make(column)
        return self.readers[column.name]

    def _make(self, column: Column) -> Reader:
        if column.options is None:
            assert column.read is not None
            return column.read
        options = column.options(self)
        return values.several(options) if column.several else values.choice(options)


@dataclass(frozen=True)
class Kind:
    """One kind of file (see above).

    `count(n)` says so many of what a group is; `prepare(groups, scene)` looks up for many groups at once what
    `examine` would ask for one by one; `lead` says on the first page what the file holds.
    """

    name: str
    title: Any
    right: str
    columns: tuple[Column, ...]
    look_up: Callable[[Scene], Any]
    group: Callable[[list[Row]], list[list[Row]]]
    group_key: Callable[[Sequence[Row]], str]
    examine: Callable[[list[Row], Scene], Examined]
    take: Callable[[Examined, set[str], Actor, datetime], dict[str, Any]]
    count: Callable[[int], str]
    lead: Any
    rules: tuple[Any, ...]
    listing: str
    prepare: Callable[[Sequence[list[Row]], Scene], None] = lambda _groups, _scene: None

    def example_rows(self) -> list[dict[str, str]]:
        """What the template shows below its heading."""
        return [
            {column.name: column.examples[place] for column in self.columns if place < len(column.examples)}
            for place in range(max(len(column.examples) for column in self.columns))
        ]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def scene(self, area: Area, actor: Actor, today: date) -> Scene:
        bare = Scene(area, actor, today)
        return Scene(area, actor, today, self.look_up(bare))


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    KINDS[kind.name] = kind
    return kind
