"""Human numbers: counted in the database, so that two requests never get the same one."""

from __future__ import annotations

from sqlalchemy import update

from linkage.core.extensions import db
from linkage.core.models import Sequence


def next_number(name: str) -> int:
    """The next number of the sequence `name`, from 1; the row is locked until the commit."""
    taken = update(Sequence).where(Sequence.name == name).values(last=Sequence.last + 1).returning(Sequence.last)
    number = db.session.execute(taken).scalar_one_or_none()
    if number is None:
        db.session.add(Sequence(name=name, last=1))
        db.session.flush()
        return 1
    return int(number)
