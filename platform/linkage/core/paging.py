"""Pages of a list: 50 rows each, the page's number and the order in the address bar."""

from __future__ import annotations

from collections.abc import Mapping
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
    pages = max(1, -(-total // PER_PAGE))
    number = min(max(1, request.args.get("page", 1, type=int)), pages)
    rows = db.session.scalars(wanted.limit(PER_PAGE).offset((number - 1) * PER_PAGE)).unique().all()
    return Page(list(rows), number, pages, total)


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
