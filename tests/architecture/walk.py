"""A walk over the whole URL map, as everybody, against what rights.txt says.

`rights.txt` is what ``flask --app app rights`` printed when somebody last read it; `neighbours.SUBJECTS` says by hand
what lies where. What each answer must be follows from these two alone: the walk asks the application nothing but
its pages. Used by test_routes.py and by scripts/mutate_guards.py.
"""

import re
import shutil
import tempfile
from functools import cache
from itertools import product
from pathlib import Path

import neighbours
import pytest
import world as street
from neighbours import ACCOUNTS, LINKED, LINKED_IDS, SUBJECTS, Subject

from linkage.accounts.models import UserSession
from linkage.core.clock import current_clock
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work

TABLE = Path(__file__).with_name("rights.txt")
# Routes whose subject the view loads itself: who has the right, but not there, finds nothing.
_street = Subject("Area", area=3, served=3, inside=3)
LOADED_IN_VIEW = {
    "planning.week": _street,
    "planning.solve": _street,
    "planning.repair": _street,
    "planning.run": _street,
    "planning.cancel": _street,
    "users.of_person": Subject("Person", area=5),
    "users.create_for_person": Subject("Person", area=5),
}
# What is needed besides: an account is handled only by who could grant every role it has (neighbours: a clerk).
_WHOLE = ("disable", "enable", "grant", "invite", "link_picture", "rename", "revoke", "withdraw")
ALSO = {f"users.{name}": "accounts.grant_community" for name in _WHOLE}
# Sent along where an empty form would be refused for what it does not say, not for who sends it.
FORMS = {
    "users.rename": {"sign_in_name": "another.name"},
    "users.grant": {"role": "community", "place": "盈翠社区", "valid_from": "2026-11-24"},
    "users.reveal": {"field": "telephone", "purpose": "call"},
    "carers.reveal": {"field": "telephone", "purpose": "call"},
    "volunteers.reveal": {"field": "telephone", "purpose": "call"},
    "households.reveal": {"field": "health", "purpose": "call"},
}
VALUES = {
    "form": "json",
    "code": "en",
    "name": "offers.answer_minutes",
    "kind": "roster",
    "token": "nobody-has-this",
    "filename": "x",
}
LOCAL_VALUES = {"upkeep.kept": {"name": "key"},
                "services.edit_qualification": {"code": "care_worker"}, "planning.week": {"area_id": 3},
                "planning.solve": {"area_id": 3}, "planning.repair": {"area_id": 3},
                "carers.new": {}, "carers.employ": {}}  # fmt: skip
NOT_ANSWERED_HERE = {"health.readyz"}  # says 503 while there is no worker
GOES_OUT = {"accounts.sign_out", "accounts.end_session"}
SIGNED_IN = "signed in"
SCOPES = re.compile(r"\S+ +((?:\w+: \w+, )*\w+: \w+)")


def read_table(text):
    """(rights: name → {role: scope}, seeing: model → right, routes: endpoint → (right, loader)) of a printed table."""
    rights, seeing, routes = [part.splitlines() for part in text.strip("\n").split("\n\n")]
    return (
        {line.split()[0]: dict(pair.split(": ") for pair in SCOPES.match(line)[1].split(", ")) for line in rights},
        dict(line.split() for line in seeing),
        {line.split()[0]: tuple(re.split(r"  +", line)[1:3]) for line in routes},
    )


@cache
def walk_of(app):
    """The walk over this application, built once in a process."""
    return Walk(app)


@pytest.fixture(scope="module")
def walk(template):
    """The neighbourhood as it was built; every request leaves it so."""
    found = walk_of(template)
    found.restore()
    return found


class Walk:
    """The neighbourhood in a database of its own, with a signed-in browser of every account.

    Beside it the same without the other street (`alone`): for who has nothing to do with that one, every page must be
    the same in both.
    """

    def __init__(self, app):
        self.app = app
        self.rights, self.seeing, self.routes = read_table(TABLE.read_text())
        self.rules = {}
        for rule in app.url_map.iter_rules():
            self.rules.setdefault(rule.endpoint, []).append(rule)
        self.folder = app.config["SETTINGS"].data_dir
        self.kept = Path(tempfile.mkdtemp(prefix="linkage-walk-"))
        with app.app_context():
            current_clock().move_to(street.NOW)
            self.near = unit_of_work(neighbours.build_near)
        # A ledger names a visit to those, too, who may not open it: without the link.
        CANARIES[f'href="/visits/{self.near["visit_id"]}"'] = AT_CHEN | {"coordinator", "manager", "supervisor"}
        self.browser = app.test_client(use_cookies=False)  # keeps nothing of what it is told, as after signing out
        there = [name for name in ACCOUNTS if name in neighbours.STRANGERS_THERE]
        self.headers = {account: self._signed_in(account) for account in (None, *ACCOUNTS) if account not in there}
        self._keep("alone.db")
        with app.app_context():
            self.far = unit_of_work(neighbours.build_far)
        self.headers |= {account: self._signed_in(account) for account in there}
        with app.app_context():
            rows = db.session.query(UserSession.user_id, UserSession.id)
            self.sessions = {name: dict(rows.all())[street.key("user/" + name)] for name in ACCOUNTS}
        self._keep("neighbourhood.db")

    def _signed_in(self, account):
        """The headers that a signed-in browser of the account (or one of nobody) sends."""
        client = self.app.test_client()
        street.give_token(client)
        if account is not None:
            street.sign_in(client, account)
        name, token = self.app.config["SESSION_COOKIE_NAME"], client.environ_base["HTTP_X_CSRFTOKEN"]
        return {"Cookie": f"{name}={client.get_cookie(name).value}", "X-CSRFToken": token}

    def _let_go(self):
        db.session.remove()
        db.engine.dispose()

    def _keep(self, name):
        with self.app.app_context():
            self._let_go()
        shutil.copy(self.folder / "linkage.db", self.kept / name)

    def restore(self, name="neighbourhood.db"):
        """Put the neighbourhood (or the street alone) back as it was built."""
        with self.app.app_context():
            self._let_go()
            for stale in self.folder.glob("linkage.db*"):
                stale.unlink()
            shutil.copy(self.kept / name, self.folder / "linkage.db")
            current_clock().move_to(street.NOW)

    def url(self, rule, account, side=None):
        """The address of a route about the things of this side (its own session, for an account)."""
        room = rule.endpoint.split(".")[0] + "."
        known = {**VALUES, **(side or self.near), **LOCAL_VALUES.get(rule.endpoint, {})}
        known["session_id"] = self.sessions.get(account, self.sessions["clerk"])
        values = {name: known.get(room + name, known.get(name)) for name in rule.arguments}
        with self.app.test_request_context():
            return self.app.url_map.bind("localhost").build(rule.endpoint, values)

    def expected(self, endpoint, account, subjects=SUBJECTS):
        """What the answer must be: "sign in", 403, 404 or "answered"."""
        permission, loader = self.routes[endpoint]
        if permission == "public":
            return "public"
        if account is None:
            return "sign in"
        if permission == SIGNED_IN:
            return "answered"
        late = LOADED_IN_VIEW.get(endpoint)
        subject = subjects[loader] if loader != "-" else None
        also = ALSO.get(endpoint)
        if subject is not None:
            seen = self.seeing.get(subject.model)
            if seen is not None and not self.has(account, seen, subject):
                return 404
            granted = self.has(account, permission, subject) and (also is None or self.has(account, also, subject))
            return "answered" if granted else 403
        if not self.has(account, permission) or (also is not None and not self.has(account, also)):
            return 403
        if late is not None and not self.has(account, self.seeing.get(late.model, permission), late, late=permission):
            return 404
        return "answered"

    def has(self, account, permission, subject=None, late=None):
        """The account has the right (somewhere, or on this subject), by the printed table."""
        role = ACCOUNTS[account][0].value
        scope = self.rights[permission].get(role)
        if late is not None and self.rights[late].get(role) == "inside":
            scope = "inside"
        if scope == "installation":
            return ACCOUNTS[account][4] == 1
        return scope is not None and (subject is None or subject.lies_in(scope, account))

    def sides(self, endpoint):
        """(ids, subjects) that a route is asked about: the street's; and a linked person's, where that matters."""
        permission, loader = self.routes[endpoint]
        yield self.near, SUBJECTS
        if loader in LINKED and "registered" in self.rights.get(permission, {}).values():
            yield {**self.near, **LINKED_IDS}, LINKED

    def complaints(self, endpoint, methods=("GET", "POST")):
        """What is wrong with the answers of one route, as sentences; nothing when all is well."""
        for rule, (ids, subjects) in product(self.rules[endpoint], self.sides(endpoint)):
            for method in sorted({*methods} & rule.methods):
                for account in self.headers:
                    expected = self.expected(endpoint, account, subjects)
                    answer = self.ask(rule, method, account, ids)
                    if not fits(expected, answer, endpoint):
                        yield (
                            f"{method} {endpoint} as {account or 'nobody'}: expected {expected}, got "
                            f"{answer.status_code} {answer.headers.get('Location', '')}"
                        )
                    for canary in read_out(answer):
                        if account not in CANARIES[canary]:
                            yield f"{method} {endpoint} as {account or 'nobody'} tells {canary}"

    def ask(self, rule, method, account, side=None):
        """The answer; afterwards everything is as it was."""
        data = FORMS.get(rule.endpoint, {}) if method == "POST" else None
        url, headers = self.url(rule, account, side), self.headers[account]
        answer = self.browser.open(url, method=method, data=data, headers=headers)
        if method == "POST" and answer.status_code < 400:
            self.restore()
        return answer


def fits(expected, answer, endpoint):
    status, location = answer.status_code, answer.headers.get("Location", "")
    to_sign_in = status == 303 and location.startswith("/login")
    if expected == "sign in":
        return to_sign_in
    if expected in ("answered", "public"):
        refused = status in (401, 403, 405) or (status == 404 and expected != "public")
        return not refused and status < 500 and (not to_sign_in or endpoint in GOES_OUT)
    return status == expected


# --- what pages may not tell ----------------------------------------------------------------------------------

NEIGHBOURS = {"stranger", "far_coordinator", "far_manager", "far_carer", "far_volunteer", "far_home"}
ELSEWHERE = {"other_supervisor", "other_operator", "other_admin"}
ABOVE_BOTH = {"operator", "supervisor", "admin"}
HERE = set(ACCOUNTS) - NEIGHBOURS - ELSEWHERE - ABOVE_BOTH
APART = sorted(HERE | ELSEWHERE)  # who has nothing to do with the other street
AT_CHEN = {"clerk", "operator", "wu", "chen_home"}  # who is told the name and the door of the household
# text: who may read it somewhere. Nobody else, on any page.
CANARIES = {
    "陈阿珠": AT_CHEN,
    "香莲里27号": AT_CHEN | {"coordinator"},
    "王外人": {"stranger", "operator", "far_carer", "far_home"},
    "官任路9号": {"stranger", "operator", "far_carer", "far_home", "far_coordinator"},
    "邻护理": NEIGHBOURS | ABOVE_BOTH,
    "邻志愿": NEIGHBOURS | ABOVE_BOTH,
    "邻调度": NEIGHBOURS | ABOVE_BOTH,
    "筼筜邻里": NEIGHBOURS | ABOVE_BOTH,
    "邻街助洁": NEIGHBOURS | ABOVE_BOTH,
    "HT-yundang": NEIGHBOURS | ABOVE_BOTH,
    "XM09999": NEIGHBOURS | ABOVE_BOTH,
    "吴丽珍": HERE | ABOVE_BOTH,
    "庄文斌": HERE | ABOVE_BOTH,
    "鹭康居家养老": HERE | ABOVE_BOTH,
    "HT-lukang": HERE | ABOVE_BOTH,
    "XM00001": HERE | ABOVE_BOTH,
    "振兴社区": NEIGHBOURS | ABOVE_BOTH,
    "ZC-yundang": NEIGHBOURS | ABOVE_BOTH,
    f'href="/users/{street.key("user/nobody")}"': set(),  # the log names this account's deeds, but nobody may open it
}
# Searches as somebody would try them who should not find anything: all but the last character of each canary.
SEARCHED = ("desk.search", "desk.find_household", "desk.find_caller", "households.listing", "carers.listing",
            "volunteers.listing", "users.listing", "contracts.listing", "organisations.listing",
            "data_requests.listing")  # fmt: skip

TRIED = ("陈阿珠", "王外人", "邻护理", "振兴社区")


def all_of_a_kind(walk):
    """(endpoint, address) of each page that shows rows without naming one, and of searches and filters for others'."""
    lists = [
        (endpoint, rules[0].rule)
        for endpoint, rules in sorted(walk.rules.items())
        if not rules[0].arguments and "GET" in rules[0].methods and endpoint not in NOT_ANSWERED_HERE
    ]
    found = [(name, f"{rule}?q={text[:-1]}") for name, rule in lists if name in SEARCHED for text in TRIED]
    found += [("imports.template_file", f"/imports/template/{kind}.xlsx") for kind in ("carers", "lines")]
    found += [("desk.post_need", f"/needs/new?household={side['household_id']}") for side in (walk.near, walk.far)]
    for side in (walk.near, walk.far):
        found += [
            ("contracts.lines", f"/contracts/lines?organisation={side['organisation_id']}"),
            ("contracts.listing", f"/contracts/?organisation={side['organisation_id']}&state=all"),
            ("visits.listing", f"/visits/?area={side['area_id']}&from=2026-11-01&to=2026-12-31"),
            ("needs.listing", f"/needs/?area={side['area_id']}&state=all"),
            ("households.listing", f"/households/?area={side['area_id']}"),
            ("volunteers.listing", f"/volunteers/?area={side['area_id']}"),
            ("carers.listing", f"/carers/?organisation={side['organisation_id']}"),
        ]
    return lists + found


def rows_of_the_street(walk):
    """(endpoint, address) of each page about one thing of the first street."""
    rules = [rule for endpoint in sorted(walk.rules) for rule in walk.rules[endpoint]]
    return [
        (rule.endpoint, walk.url(rule, None))
        for rule in rules
        if rule.arguments and "GET" in rule.methods and rule.endpoint not in ("static", "accounts.language")
    ]


def told(walk, addresses, accounts=tuple(ACCOUNTS)):
    """(account, endpoint, canary) for each canary in an answer."""
    for endpoint, address in addresses:
        for account in accounts:
            for canary in read_out(look(walk, address, account)):
                yield account, f"{endpoint} {address}", canary


def look(walk, address, account):
    return walk.browser.get(address, headers=walk.headers[account])


def changed_by_the_other_street(walk, pairs):
    """The pairs (address, account) whose page is another since the other street exists. Both are asked now."""
    walk.restore()
    beside = [bare(look(walk, address, account)) for address, account in pairs]
    walk.restore("alone.db")
    try:
        for (address, account), page in zip(pairs, beside, strict=True):
            if bare(look(walk, address, account)) != page:
                yield address, account
    finally:
        walk.restore()


ONCE = re.compile(rb'name="(csrf_token|_idem)" value="[^"]*"')


def bare(answer):
    """What an answer says, without what is new in each."""
    return answer.status_code, ONCE.sub(b"", answer.data)


def read_out(answer):
    """The canaries in an answer that is a page (or a part of one)."""
    if answer.mimetype not in ("text/html", "application/json"):
        return []
    body = answer.get_data(as_text=True)
    return [canary for canary in CANARIES if canary in body]
