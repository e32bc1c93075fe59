"""Guessing passwords is slowed down; the owner is never locked out.

Wrong passwords are counted in buckets. A browser in which the account has signed in before has a bucket of its
own (its cookie says so), and so has an address from which it has; all other attempts on the account share one.
Whatever strangers do, the owner's browser and home are not slowed down. After some free attempts each further
one must wait twice as long as the one before. Strangers' attempts are also counted by address, over all names.
Names and addresses are kept as blind indexes only; what is typed for an unknown name is counted the same way.
"""

from __future__ import annotations

import ipaddress
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from linkage.accounts.models import SignInAttempt
from linkage.core import crypto
from linkage.core.clock import local_date
from linkage.core.errors import TooManyAttempts
from linkage.core.extensions import db
from linkage.core.rulesets import rule
from linkage.core.sequences import next_number

KNOWN_FOR = timedelta(days=90)
LONGEST_WAIT_OF_ADDRESS_SECONDS = 60


@dataclass(frozen=True)
class Origin:
    """Where an attempt on an account comes from.

    Attributes
    ----------
    name : the account's id where there is one, else what was typed
    address : the client's address
    browser : the secret of a browser that this account has signed in with before; '' for any other
    """

    name: str
    address: str
    browser: str = ""

    @property
    def name_index(self) -> str:
        return crypto.blind("attempt.name", self.name)

    @property
    def address_index(self) -> str:
        return crypto.blind("attempt.address", network_of(self.address))


def network_of(address: str) -> str:
    """The address itself; of IPv6 the /64, since one household has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


def bucket_of(origin: Origin, now: datetime) -> tuple[str, bool]:
    """What the attempt is counted in, and whether the account knows where it comes from."""
    if origin.browser:
        return crypto.blind("attempt.browser", f"{origin.name}|{origin.browser}"), True
    known = select(SignInAttempt.id).where(
        SignInAttempt.name_index == origin.name_index,
        SignInAttempt.address_index == origin.address_index,
        SignInAttempt.succeeded,
        SignInAttempt.at > now - KNOWN_FOR,
    )
    if db.session.scalars(known.limit(1)).first() is not None:
        return crypto.blind("attempt.home", f"{origin.name}|{network_of(origin.address)}"), True
    return crypto.blind("attempt.strangers", origin.name), False


def begin(origin: Origin, *, now: datetime) -> uuid.UUID:
    """Store an attempt as failed before the password is looked at; return its id.

    So that many at once cannot slip through between counting and failing, all attempts are counted one by one.

    Raises
    ------
    TooManyAttempts
        it must wait; nothing is counted.
    """
    next_number("sign-in attempts")  # holds this row until the commit: one at a time
    bucket, known = bucket_of(origin, now)
    wait = _wait_of_bucket(bucket, now)
    if not known:
        wait = max(wait, _wait_of_address(origin.address_index, now))
    if wait > 0:
        raise TooManyAttempts(
            _l("Too many attempts. The next is possible in %(seconds)d seconds.", seconds=wait),
            remedy=_l("If you have forgotten the password, ask whoever gave you the account for a new link."),
        )
    attempt = SignInAttempt(
        at=now,
        name_index=origin.name_index,
        address_index=origin.address_index,
        bucket=bucket,
        succeeded=False,
    )
    db.session.add(attempt)
    return attempt.id


def succeed(attempt_id: uuid.UUID) -> None:
    """failed → succeeded: the address is known to the account from now on, its bucket begins anew."""
    attempt = db.session.get(SignInAttempt, attempt_id)
    if attempt is not None:
        attempt.succeeded = True


def remember_success(origin: Origin, *, now: datetime) -> None:
    """The account is known at this address from now on (its link was opened there)."""
    bucket, _known = bucket_of(origin, now)
    db.session.add(
        SignInAttempt(
            at=now,
            name_index=origin.name_index,
            address_index=origin.address_index,
            bucket=bucket,
            succeeded=True,
        )
    )


def _wait_of_bucket(bucket: str, now: datetime) -> int:
    last_success = db.session.scalar(
        select(func.max(SignInAttempt.at)).where(SignInAttempt.bucket == bucket, SignInAttempt.succeeded)
    )
    failures = select(func.count(), func.max(SignInAttempt.at)).where(
        SignInAttempt.bucket == bucket, SignInAttempt.succeeded.is_(False), SignInAttempt.at > _window(now)
    )
    if last_success is not None:
        failures = failures.where(SignInAttempt.at > last_success)
    count, last = db.session.execute(failures).one()
    day = local_date(now)
    return wait_seconds(
        count,
        last,
        now,
        free=rule("accounts.free_attempts_per_name", day),
        longest=rule("accounts.longest_wait_seconds", day),
    )


def _wait_of_address(address_index: str, now: datetime) -> int:
    count, last = db.session.execute(
        select(func.count(), func.max(SignInAttempt.at)).where(
            SignInAttempt.address_index == address_index,
            SignInAttempt.succeeded.is_(False),
            SignInAttempt.at > _window(now),
        )
    ).one()
    free = rule("accounts.free_attempts_per_address", local_date(now))
    return wait_seconds(count, last, now, free=free, longest=LONGEST_WAIT_OF_ADDRESS_SECONDS)


def _window(now: datetime) -> datetime:
    return now - timedelta(hours=rule("accounts.attempts_window_hours", local_date(now)))


def wait_seconds(failures: int, last: datetime | None, now: datetime, *, free: int, longest: int) -> int:
    """Seconds until the next attempt: 0 within the `free` ones, then 1, 2, 4 … after the last, at most `longest`."""
    if last is None or failures < free:
        return 0
    wait = min(2 ** min(failures - free, 30), longest)
    left = wait - (now - last).total_seconds()
    return max(0, min(wait, -int(-left // 1)))
