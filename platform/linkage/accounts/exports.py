"""The lists of accounts and of the audit log as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from linkage.accounts import permissions, queries
from linkage.accounts.administration_pages import audit_filters, audit_rows
from linkage.accounts.models import User
from linkage.core.clock import local_date
from linkage.core.exports import Column, Export, Scene, register
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.core.permissions import Actor, Role
from linkage.core.web import role_name
from linkage.people.models import Person


def _users(actor: Actor, now: datetime) -> Select[Any]:
    text, role, state = (request.args.get(name, "")[:60] for name in ("q", "role", "state"))
    on = local_date(now)
    wanted = queries.found(actor, text, on, masked=not actor.has(Role.COMMUNITY, Role.OPERATOR))
    if role in {known.value for known in Role}:
        wanted = queries.with_role(wanted, role, local_date(now))
    return queries.in_state(wanted, state).order_by(Person.name, User.id)


def _grants(rows: Sequence[User], scene: Scene) -> Any:
    grants = queries.grants_on([row.id for row in rows], local_date(scene.now))
    names = queries.scope_names([grant for found in grants.values() for grant in found])
    return {
        user_id: [f"{role_name(Role(grant.role))} {names[grant.id]}".strip() for grant in found]
        for user_id, found in grants.items()
    }


def _audit(_actor: Actor, _now: datetime) -> Select[Any]:
    return audit_rows(audit_filters())


def _names(rows: Sequence[AuditRow], _scene: Scene) -> Any:
    ids = {row.actor_id for row in rows if row.actor_id}
    return dict(db.session.execute(select(User.id, User.sign_in_name).where(User.id.in_(ids))).tuples().all())


USERS = register(
    Export(
        name="users",
        title=_l("Accounts"),
        right=permissions.may_see,
        model=User,
        rows=_users,
        load=_grants,
        columns=(
            Column(_l("Sign-in name"), lambda row, _scene: row.sign_in_name, width=20),
            Column(_l("Name"), lambda row, _scene: row.person.name),
            Column(_l("Roles"), lambda row, scene: scene.looked_up.get(row.id, []), width=36),
            Column(_l("Disabled at"), lambda row, _scene: row.disabled_at, width=18),
            Column(_l("Last seen"), lambda row, _scene: row.last_seen_at, width=18),
        ),
    )
)
AUDIT = register(
    Export(
        name="audit",
        title=_l("Audit log"),
        right=permissions.may_read_audit,
        model=AuditRow,
        rows=_audit,
        load=_names,
        columns=(
            Column(_l("Number"), lambda row, _scene: row.number, width=10),
            Column(_l("When"), lambda row, _scene: row.at, width=18),
            Column(_l("Who"), lambda row, scene: scene.looked_up.get(row.actor_id, ""), width=18),
            Column(_l("What"), lambda row, _scene: row.action, width=24),
            Column(_l("Kind"), lambda row, _scene: row.subject_kind),
            Column(_l("Subject"), lambda row, _scene: row.subject_id, width=38),
            Column(_l("Details"), lambda row, _scene: json.dumps(row.detail, ensure_ascii=False), width=40),
            Column(_l("Digest"), lambda row, _scene: row.digest, width=66),
        ),
    )
)
