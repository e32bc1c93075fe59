"""What the call desk owes: calls to return, and outcomes to tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from linkage.calls import queries
from linkage.calls.models import Call
from linkage.calls.queries import Outcome
from linkage.calls.words import ABOUT_WORDS, OUTCOME_WORDS
from linkage.core.permissions import Role
from linkage.core.tasks import Action, Found, Reader, Row, Urgency, from_list, from_select, task
from linkage.households.about import about, shown_name
from linkage.households.queries import head_of
from linkage.services.words import listed, named
from linkage.visits.queries import active_of

DESK = (Role.OPERATOR, Role.COMMUNITY)


@task("calls.to_return", _l("Calls to return"), urgency=Urgency.NOW, icon="telephone-outbound-fill", roles=DESK)
def to_return(reader: Reader) -> Found:
    return from_select(queries.to_return(reader.actor), lambda rows: _calls(reader, rows))


def _calls(reader: Reader, rows: Sequence[Call]) -> Iterable[Row]:
    for call in rows:
        person, times = head_of(call.household, reader.today).person, queries.times_called(call)
        page = url_for("calls.household", household_id=call.household_id)
        late = call.call_back_at is not None and call.call_back_at < reader.now
        yield Row(
            who=shown_name(person, reader.actor),
            who_note=about(call.household, person, reader.today),
            what=ABOUT_WORDS[call.about],
            why=ngettext("Called %(num)d time about it.", "Called %(num)d times about it.", times),
            look=("call", "overdue" if late else "promised"),
            deadline=call.call_back_at,
            action=Action(_("Ring back"), page, "telephone"),
            url=url_for("households.page", household_id=call.household_id),
        )


@task("calls.outcomes", _l("Outcomes to tell the caller"), urgency=Urgency.ASK, icon="megaphone-fill", roles=DESK)
def outcomes(reader: Reader) -> Found:
    return from_list(queries.outcomes(reader.actor, reader.now), lambda part: _outcomes(reader, part))


def _outcomes(reader: Reader, part: Sequence[Outcome]) -> Iterable[Row]:
    booked = active_of([one.visit.id for one in part])
    for one in part:
        comes = booked[one.visit.id]
        yield Row(
            who=shown_name(one.need.person, reader.actor),
            what=named(one.need.service),
            span=(comes[0].starts_at, comes[0].ends_at) if comes else (one.visit.earliest_at, one.visit.latest_at),
            why=listed(person.person.name for person in comes) if comes else OUTCOME_WORDS[one.outcome],
            look=("call", one.outcome),
            action=Action(_("Tell them"), url_for("calls.household", household_id=one.need.household_id), "telephone"),
            url=url_for("households.page", household_id=one.need.household_id),
        )
