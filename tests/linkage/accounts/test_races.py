"""Many at once at the sign-in page and with one invitation, on both databases."""

import threading

from sqlalchemy import func, select

from linkage.accounts import attempts, granting, passwords
from linkage.accounts.models import Invitation, SignInAttempt, User
from linkage.core import audit
from linkage.core.errors import Conflict, TooManyAttempts
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work

CLIENTS = 24


def at_once(app, work):
    """Run `work` in many threads that start together; what each returned or raised."""
    outcomes, gate = [], threading.Barrier(CLIENTS)

    def run(number):
        with app.app_context():
            gate.wait()
            try:
                outcomes.append(unit_of_work(lambda: work(number)))
            except Exception as error:  # the outcome is what the test looks at
                outcomes.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_no_more_guesses_pass_at_once_than_one_after_the_other(any_app, now):
    def guess(number):
        return attempts.begin(attempts.Origin("clerk", f"198.51.100.{number}"), now=now)

    outcomes = at_once(any_app, guess)
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == CLIENTS - 5
    with any_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SignInAttempt)) == 5


def test_one_invitation_is_used_once_however_many_open_it(any_app, world, now):
    hashed = passwords.hash_password("four words to remember")

    def invite():
        audit.record("test.invite", ("users", ""), by=None, now=now)
        return granting.invite(db.session.get(User, world.key("user/clerk")), by=None, now=now).id

    with any_app.app_context():
        invitation_id = unit_of_work(invite)
        token = granting.token_of(db.session.get(Invitation, invitation_id))
        db.session.remove()
    outcomes = at_once(any_app, lambda _: granting.accept_invitation(token, hashed, now=now).id)
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == CLIENTS - 1
