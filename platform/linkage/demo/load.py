"""Making the demo: from an empty, migrated database to a street with a week behind it and a week before it."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app
from flask_migrate import upgrade
from sqlalchemy import MetaData, select

from linkage.accounts.demo import PASSWORD
from linkage.accounts.operations import deliver_waiting
from linkage.accounts.passwords import hash_password
from linkage.areas.operations import XIAMEN, load_tree, read_tree
from linkage.core import audit, periodic
from linkage.core.clock import at_minutes, current_clock, local_date, parse_moment, week_start
from linkage.core.extensions import db
from linkage.core.ids import seeded_ids
from linkage.core.jobs import machine_now
from linkage.core.models import AuditRow
from linkage.core.rulesets import FIRST_DAY, load_defaults
from linkage.core.transactions import unit_of_work, writing
from linkage.core.workdays import load_shipped
from linkage.demo import accounts, contracts, households, needs, providers, volunteers, week
from linkage.demo.inventing import Inventor
from linkage.demo.setting import SEED, Story
from linkage.services.operations import load_catalogue
from linkage.visits.periodic import close_unmet, free_missed, make_visits_ahead, tell_late_and_missed

DONE = "demo.load"
OPENING_MINUTES = 8 * 60


def is_loaded() -> bool:
    """The demo is there, whole."""
    found = db.session.scalars(select(AuditRow.number).where(AuditRow.action == DONE).limit(1)).first()
    db.session.rollback()
    return found is not None


def is_begun() -> bool:
    """The database is not empty: somebody works in it, or a load was interrupted."""
    found = db.session.scalars(select(AuditRow.number).limit(1)).first()
    db.session.rollback()
    return found is not None


def opening_moment() -> datetime:
    """When the demo begins: `LINKAGE_NOW`, else Monday of the current week at 08:00 in Shanghai."""
    given = current_app.config["SETTINGS"].now
    if given:
        return parse_moment(given)
    machine = machine_now()
    return at_minutes(week_start(local_date(machine)), OPENING_MINUTES)


def load(now: datetime) -> None:
    """Make the demo in an empty database; `now` is where its clock stands afterwards."""
    story, inventor = Story(now), Inventor(SEED)
    with seeded_ids(SEED):
        homes = _register(story, inventor)
        _last_week(story, inventor)
        _today(story, homes)
    current_clock().move_to(now)


def _register(story: Story, inventor: Inventor) -> list[households.Home]:
    password_hash = make_basis(story, inventor)
    organisations = unit_of_work(lambda: providers.register_all(inventor, story, password_hash))
    unit_of_work(lambda: contracts.enter_all(organisations, story))
    unit_of_work(lambda: volunteers.register_all(inventor, story, password_hash))
    homes = unit_of_work(lambda: households.register_all(inventor, story, password_hash))
    unit_of_work(lambda: needs.post_all(homes, story))
    return homes


def make_basis(story: Story, inventor: Inventor) -> str:
    """Areas, catalogue, rules and the staff's accounts; returns the hash of the accounts' password."""
    password_hash = hash_password(PASSWORD)
    unit_of_work(lambda: _basis(story))
    unit_of_work(lambda: accounts.open_staff(inventor, story, password_hash))
    return password_hash


def _basis(story: Story) -> None:
    """What every installation begins with: the areas, the catalogue, the rules."""
    load_tree(read_tree(XIAMEN), since=FIRST_DAY, now=story.setup)
    load_catalogue(by=None, now=story.setup)
    load_defaults(now=story.setup)
    load_shipped(now=story.setup)


def _last_week(story: Story, inventor: Inventor) -> None:
    """Last week is planned on the Friday before it, today (and what of this week is over) on Sunday."""
    sunday = story.monday - timedelta(days=1)
    week.plan_and_publish(story.last_monday, sunday, at=story.planning)
    week.answer_offers(asked_at=story.planning, until=story.at(-9, 10 * 60))
    evening = story.at(-1, 17 * 60)
    make_visits_ahead(evening)
    week.plan_and_publish(story.monday, story.today, at=evening)
    week.answer_offers(asked_at=evening, until=story.at(-1, 23 * 60))
    week.carry_out(story, inventor)


def _today(story: Story, homes: list[households.Home]) -> None:
    current_clock().move_to(story.now)
    unit_of_work(lambda: needs.use_up_rehab(story))
    unit_of_work(lambda: week.ask_for_today(homes, story))
    for catch_up in (make_visits_ahead, tell_late_and_missed, close_unmet, free_missed):
        catch_up(story.now)
    while unit_of_work(lambda: deliver_waiting(now=story.now)):
        pass
    unit_of_work(lambda: _finish(story))


def _finish(story: Story) -> None:
    periodic.note_done([entry.name for entry in periodic.table()], story.now)
    audit.record(DONE, ("demo", "street"), by=None, now=story.now)


def reset() -> None:
    """Remove everything from the database and migrate anew (demo mode only; the caller sees to that)."""
    db.session.remove()
    everything = MetaData()
    with writing(), db.engine.begin() as connection:
        everything.reflect(connection)
        everything.drop_all(connection)
    upgrade()
