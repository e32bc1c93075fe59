"""What accounts do when something is announced."""

from __future__ import annotations

from linkage.accounts import granting, operations, queries
from linkage.core import audit
from linkage.core.events import PersonDied, effect


@effect(PersonDied, "accounts")
def close_account_of_the_dead(event: PersonDied) -> None:
    """Nobody signs in as somebody who has died."""
    user = queries.account_of(event.person_id)
    if user is None or user.disabled_at is not None:
        return
    user.disabled_at = event.now
    user.row_version += 1
    ended = operations.end_sessions(user.id, now=event.now)
    granting.withdraw_invitations(user, now=event.now)
    audit.record("accounts.disable", user, by=event.by, now=event.now, reason="death", sessions_ended=ended)
