"""Pages of a list: 50 rows each, the page's number and the order in the address bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import ColumnElement, Select, func, literal_column, select

from linkage.core.extensions import db

R = TypeVar("R")
PER_PAGE = 50


@dataclass(frozen=True)
class Page(Generic[R]):
    """One page of rows, for ``ui.pager(page.number, page.pages, page.total)``."""

    rows: list[R]
    number: int
    pages: int
    total: int


def paginate(wanted: Select[R]) -> Page[R]:
    """The page that the address asks for (``?page=2``; the last one where it asks for more)."""
    total = db.session.scalar(select(func.count()).select_from(_bare(wanted).subquery())) or 0
    number, pages, skipped = place(total)
    rows = db.session.scalars(wanted.limit(PER_PAGE).offset(skipped)).unique().all()
    return Page(list(rows), number, pages, total)


def page_of(rows: Sequence[R]) -> Page[R]:
    """The same of rows that are all there already."""
    number, pages, skipped = place(len(rows))
    return Page(list(rows[skipped : skipped + PER_PAGE]), number, pages, len(rows))


def place(total: int) -> tuple[int, int, int]:
    """Of so many rows: the number of the page that the address asks for, how many pages there are, rows before it."""
    pages = max(1, -(-total // PER_PAGE))
    number = min(max(1, request.args.get("page", 1, type=int)), pages)
    return number, pages, (number - 1) * PER_PAGE


def _bare(wanted: Select[R]) -> Select[Any]:
    """The rows to count, without what they show and in no order."""
    plain = wanted.order_by(None).options()
    if wanted._distinct or wanted._group_by_clauses:
        return plain
    return plain.with_only_columns(literal_column("1").label("one"), maintain_column_froms=True)


def order(columns: Mapping[str, Any], default: str, tie: Any) -> list[ColumnElement[Any]]:
    """What ``?sort=name`` or ``?sort=-name`` asks for, of `columns` only; else `default`; equal ones by `tie`."""
    asked = request.args.get("sort", default)
    name = asked.removeprefix("-")
    if name not in columns:
        asked, name = default, default.removeprefix("-")
    column = columns[name]
    return [column.desc() if asked.startswith("-") else column.asc(), tie]
