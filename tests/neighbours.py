"""The street of world.py with one of everything in it, and beside it another street and another district.

What lies where is written down here by hand (`SUBJECTS`), for tests that compare it with what the rights let through:
nothing in this file asks the rights table or a scope condition.
"""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta

import world as street
from sqlalchemy import select
from visiting import book_for, open_for, post_for, visits_of

from linkage.accounts import granting
from linkage.accounts.models import Grant, InboxMessage, User
from linkage.areas.models import Area, Place
from linkage.calls.models import Call
from linkage.contracts.models import Contract, ContractLine, LineArea, LineService
from linkage.core import audit, privacy
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.permissions import Role
from linkage.desk.models import CoverageCertificate
from linkage.households.models import Assessment, Household, HouseholdMerge, Member, Paper, Tag
from linkage.imports.models import Upload
from linkage.offers.models import Offer
from linkage.organisations.models import Carer, Organisation
from linkage.people.models import WorkException, WorkPattern
from linkage.planning.models import Plan, PlanUnserved
from linkage.procurement.models import Bid, BidEntry, Lot, Question, Tender, TenderDocument
from linkage.services.models import HeldQualification
from linkage.upkeep.models import DataRequest
from linkage.visits.models import HoursEntry, Visit
from linkage.volunteers.models import Volunteer, VolunteerService

key, NOW = street.key, street.NOW
# The accounts of the other street (6, 筼筜) and of the other district (8, 湖里).
STRANGERS = {
    "far_coordinator": (Role.COORDINATOR, "邻调度", "M", "area", 6),
    "far_manager": (Role.MANAGER, "邻经理", "F", "organisation", "yundang"),
    "far_carer": (Role.CARER, "邻护理", "F", "organisation", "yundang"),
    "far_volunteer": (Role.VOLUNTEER, "邻志愿", "M", "self", None),
    "other_supervisor": (Role.SUPERVISOR, "湖处长", "M", "area", 8),
    "other_operator": (Role.OPERATOR, "湖话务", "F", "area", 8),
    "other_admin": (Role.ADMINISTRATOR, "湖管理", "F", "area", 8),
}
ACCOUNTS = {**street.USERS, **STRANGERS, "far_home": (Role.HOUSEHOLD, "王外人", "M", "household", "far")}
STRANGERS_THERE = ("far_coordinator", "far_manager", "far_carer", "far_volunteer", "far_home")
PEOPLE_THERE = (key("far_carer"), key("far_volunteer"))
# area: what lies above it, itself included.
ABOVE = {1: {1}, 2: {1, 2}, 3: {1, 2, 3}, 4: {1, 2, 3, 4}, 5: {1, 2, 3, 5}, 6: {1, 2, 6}, 7: {1, 2, 6, 7}, 8: {1, 8}}


@dataclass(frozen=True)
class Subject:
    """A thing and what it has to do with whom.

    `area`: where it lies; `linked`: an area that a person was only linked to, having been registered elsewhere;
    `served`: an area for which it works (who is above or below it has it in scope, too); `covered`: the organisation
    with a visit there; `assigned`: the people on their way there; `inside`: the street whose communities may look
    at it; `published`: a tender that every organisation may see.
    """

    model: str
    area: int | None = None
    linked: int | None = None
    served: int | None = None
    organisation: str | None = None
    covered: str | None = None
    household: str | None = None
    people: tuple[str, ...] = ()
    assigned: tuple[str, ...] = ()
    owner: str | None = None
    buyer: int | None = None
    inside: int | None = None
    published: bool = False

    def lies_in(self, scope, account):
        """Whether this thing lies in the scope `scope` of the account's one role."""
        _role, _name, _sex, kind, where = ACCOUNTS[account]
        area = where if kind == "area" else None
        return {
            "all": lambda: True,
            "area": lambda: area is not None and (self._lies_under(area) or self._works_for(area)),
            "bought": lambda: area in ABOVE.get(self.buyer, ()),
            "inside": lambda: area is not None and self._around(area),
            "registered": lambda: replace(self, linked=None).lies_in(kind, account),
            "organisation": lambda: kind == "organisation" and where == self.organisation,
            "covered": lambda: kind == "organisation" and where == self.covered,
            "household": lambda: kind == "household" and where == self.household,
            "self": lambda: account in self.people,
            "assigned": lambda: account in self.assigned,
            "own": lambda: account == self.owner,
            "published": lambda: self.published,
            "officer": lambda: account in self.people,
            "concerned": lambda: self.lies_in("area", account) or account in self.people,
        }[scope]()

    def _lies_under(self, area):
        return area in ABOVE.get(self.area, ()) or area in ABOVE.get(self.linked, ())

    def _works_for(self, area):
        return self.served is not None and (area in ABOVE[self.served] or self.served in ABOVE[area])

    def _around(self, area):
        return self.inside in ABOVE[area] if self.inside else area in ABOVE.get(self.area, ())


_at_chen = {"area": 4, "household": "chen", "covered": "lukang", "assigned": ("wu",)}
# loader of a route: the thing that it loads in the walk
SUBJECTS = {
    "get_area": Subject("Area", area=4),
    "get_carer": Subject("Carer", area=3, served=3, organisation="lukang", people=("wu",)),
    "get_organisation": Subject("Organisation", area=3, served=3, organisation="lukang"),
    "get_contract": Subject("Contract", served=3, organisation="lukang", buyer=2),
    "get_line": Subject("ContractLine", served=3, organisation="lukang", buyer=2),
    "get_visit": Subject("Visit", **_at_chen),
    "get_need": Subject("Need", **_at_chen),
    "get_household": Subject("Household", **_at_chen),
    "get_assignment": Subject("Assignment", people=("wu",)),
    "get_offer": Subject("Offer", area=4, people=("zhuang",)),
    "get_plan": Subject("Plan", area=3, inside=3),
    "get_unserved": Subject("PlanUnserved", area=4),
    "get_service": Subject("Service"),
    "get_user": Subject("User", area=5),
    "_person_of": Subject("Person", area=5, people=("clerk2",)),
    "get_person": Subject("Person", area=5, people=("clerk2",)),
    "get_request": Subject("DataRequest", area=5),
    "get_volunteer": Subject("Volunteer", area=4, people=("zhuang",)),
    "get_certificate": Subject("CoverageCertificate", area=4),
    "get_upload": Subject("Upload", owner="clerk"),
    "get_tender": Subject("Tender", area=2, published=True),
    "get_published": Subject("Tender", area=2, published=True),
    "get_bid": Subject("Bid", area=2, organisation="lukang"),
    "get_entry": Subject("BidEntry", area=2, organisation="lukang"),
}
# The same of `_guest`, whom one register entered and others only linked: what is asked where a right names who is
# "registered".
_at_both = {"area": 3, "served": 3, "organisation": "lukang", "linked": 8}
LINKED = {
    "get_carer": Subject("Carer", linked=8),
    "get_volunteer": Subject("Volunteer", linked=8),
    "get_user": Subject("User", **_at_both),
    "get_person": Subject("Person", **_at_both),
}


def build_near():
    """The street of world.py with one of everything in it, bought by the district; and another district (8), empty but
    for its offices and `_guest`. Returns the ids by the names that URLs use.
    """
    audit.record("test.near", ("street", "3"), by=None, now=NOW)
    db.session.add(
        Area(id=8, level="district", name="湖里区", code="350206", parent_id=1, path="/1/8/", lat=24.5, lon=118.1)
    )
    db.session.flush()
    _accounts("other_supervisor", "other_operator", "other_admin")
    db.session.get(Contract, key("contract/lukang")).buyer_area_id = 2
    _nobody_in_particular()
    _guest()
    things = _things("near", "chen", "wu", "zhuang", "lukang/clean") | _tender(2, 3, "lukang", published=True)
    _messages(db.session.get(Visit, things["visit_id"]))
    return things


def build_far():
    """The other street (6), with one of everything: what nobody of the first street may notice."""
    audit.record("test.far", ("street", "6"), by=None, now=NOW)
    db.session.add(
        Area(id=9, level="community", name="振兴社区", code="350203007002", parent_id=6, path="/1/2/6/9/", lat=24.47,
             lon=118.1)
    )  # fmt: skip
    db.session.add(
        Organisation(
            id=key("yundang"), name="筼筜邻里养老服务社", short_name="筼筜邻里", name_keys="|yundanglinli",
            uscc="52350203MJB0000039", rating="3A", area_id=6, lat=24.478, lon=118.1, created_at=NOW,
        )
    )  # fmt: skip
    _accounts("far_coordinator", "far_manager", "far_carer", "far_volunteer")
    street._user("far_home", key("far/head"), Role.HOUSEHOLD, "household", "far", NOW)
    _workers_there()
    _contract_there()
    things = _things("far", "far", "far_carer", "far_volunteer", "yundang/clean")
    things |= _tender(6, 6, "yundang", published=False)
    db.session.get(Place, key("place/far")).position_source = "area"  # a door that nobody has pinned
    return things


def _accounts(*names):
    for name in names:
        role, person_name, sex, kind, where = STRANGERS[name]
        street._user(name, street._person(name, person_name, sex, NOW).id, role, kind, where, NOW)


def _nobody_in_particular():
    """An account without any role or register: its page is nobody's, though the audit log names its deeds."""
    user = User(id=key("user/nobody"), person_id=street._person("nobody", "无名氏", "M", NOW).id,
                sign_in_name="nobody", password_hash=None, created_at=NOW)  # fmt: skip
    db.session.add(user)
    db.session.flush()
    audit.record("accounts.password", user, by=user.id, now=NOW)


def _guest():
    """A carer of the first street, registered there, who is linked in the other district as carer and as volunteer."""
    person = street._person("guest", "柯两处", "F", NOW)
    street._user("guest", person.id, Role.CARER, "organisation", "lukang", NOW)
    db.session.add(
        Organisation(
            id=key("huli"), name="湖里助老服务社", short_name="湖里助老", name_keys="|hulizhulao",
            uscc="52350206MJB0000047", rating="3A", area_id=8, lat=24.5, lon=118.1, created_at=NOW,
        )
    )  # fmt: skip
    for organisation, linked in (("lukang", False), ("huli", True)):
        db.session.add(
            Carer(
                id=key(f"carer/guest/{organisation}"), person_id=person.id, organisation_id=key(organisation),
                kind="carer", linked=linked, valid_from=street.LONG_AGO, valid_to=None, created_at=NOW,
            )
        )  # fmt: skip
    db.session.add(
        Volunteer(
            id=key("volunteer/guest"), person_id=person.id, number="XM08888", area_id=8, insured_to=date(2027, 6, 30),
            joined_on=street.LONG_AGO, radius_metres=3000, linked=True, created_at=NOW,
        )
    )  # fmt: skip
    db.session.flush()


LINKED_IDS = {
    "carer_id": key("carer/guest/huli"), "volunteer_id": key("volunteer/guest"), "user_id": key("user/guest"),
    "person_id": key("guest"),
}  # fmt: skip


def _messages(visit):
    """To the clerk of the household's community, and to the one of the next, who no longer sees the visit."""
    for name in ("clerk", "clerk2"):
        params = {"visit_id": str(visit.id), "number": visit.number, "starts_at": visit.earliest_at.isoformat(),
                  "ends_at": visit.latest_at.isoformat(), "assignment_id": None}  # fmt: skip
        db.session.add(
            InboxMessage(
                person_id=key(name), outbox_id=key("message/" + name), kind="visits.dropped", params=params,
                created_at=NOW,
            )
        )  # fmt: skip


def _workers_there():
    db.session.add(
        Carer(
            id=key("carer/far_carer"), person_id=key("far_carer"), organisation_id=key("yundang"), kind="carer",
            valid_from=street.LONG_AGO, valid_to=None, created_at=NOW,
        )
    )  # fmt: skip
    street._week("far_carer", "shift", key("yundang"), range(5), 8 * 60, 17 * 60)
    db.session.add(
        Volunteer(
            id=key("volunteer/far_volunteer"), person_id=key("far_volunteer"), number="XM09999", area_id=7,
            insured_to=date(2027, 6, 30), joined_on=street.LONG_AGO, radius_metres=3000, created_at=NOW,
            services=[VolunteerService(service_id=key("service/meal"))],
        )
    )  # fmt: skip
    street._week("far_volunteer", "available", None, range(7), 9 * 60, 18 * 60)
    for pattern in db.session.scalars(select(WorkPattern).where(WorkPattern.person_id.in_(PEOPLE_THERE))):
        pattern.area_id = 6


def _contract_there():
    db.session.add(
        Contract(
            id=key("contract/yundang"), organisation_id=key("yundang"), number="HT-yundang", title="邻街服务合同",
            buyer_area_id=6, signed_on=street.LONG_AGO, starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31),
            value_fen=40_000_000, created_at=NOW,
        )
    )  # fmt: skip
    db.session.add(
        ContractLine(
            id=key("line/yundang/clean"), contract_id=key("contract/yundang"), organisation_id=key("yundang"),
            position=0, name="邻街助洁", unit="minutes", price_fen=6000, starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31), monthly_cap=6000, eligible_tags=[], monthly_quota=None, created_at=NOW,
            services=[LineService(service_id=key("service/clean"))], areas=[LineArea(area_id=6)],
        )
    )  # fmt: skip
    db.session.flush()


def _things(side, household, carer, volunteer, line):
    """One of everything about `household`; the ids by the names that URLs use."""
    db.session.flush()
    clerk = {"near": "clerk", "far": "stranger"}[side]
    area = {"near": 3, "far": 6}[side]
    need = post_for(street, household, "clean", by=clerk)
    (visit,) = visits_of(need)
    booked = book_for(street, carer, visit.slots[0].id, "2026-11-26T09:00", line=line)
    asked = post_for(street, household, "meal", by=clerk, duration_minutes=30)
    open_for(street, visits_of(asked)[0].slots[0].id, [volunteer])
    plan, job = _plan(area, visits_of(post_for(street, household, "counsel", by=clerk))[0])
    user = db.session.get(User, key("user/" + {"near": "clerk2", "far": "stranger"}[side]))
    granting.invite(user, by=None, now=NOW)
    given = HoursEntry(person_id=key(volunteer), minutes={"near": 91, "far": 97}[side], recorded_at=NOW)
    home = db.session.get(Household, key("household/" + household))
    db.session.add_all([given, Call(key_id=home.key_id, household_id=home.id, created_at=NOW)])
    db.session.flush()
    head = db.session.scalars(select(Member).where(Member.household_id == key("household/" + household))).one()
    return {
        "need_id": need.id, "visit_id": visit.id, "assignment_id": booked.id,
        "offer_id": db.session.scalars(select(Offer.id).where(Offer.person_id == key(volunteer))).one(),
        "plan_id": plan.id, "job_id": job.id, "unserved_id": plan.unserved[0].id,
        "household_id": key("household/" + household), "member_id": head.id,
        "tag_id": db.session.scalars(select(Tag.id).where(Tag.household_id == key("household/" + household))).first(),
        "carer_id": key("carer/" + carer), "volunteer_id": key("volunteer/" + volunteer),
        "organisation_id": key(line.split("/")[0]), "contract_id": key("contract/" + line.split("/")[0]),
        "line_id": key("line/" + line), "service_id": key("service/clean"), "user_id": user.id,
        "person_id": user.person_id, "request_id": _data_request(user).id, "upload_id": _upload(clerk).id,
        "grant_id": db.session.scalars(select(Grant.id).where(Grant.user_id == user.id)).one(),
        "area_id": {"near": 4, "far": 7}[side],
        **_dated("carers.", carer), **_dated("volunteers.", volunteer), **_over_time(household, head),
    }  # fmt: skip


def _tender(buyer, area, organisation, *, published):
    """A tender with a lot, a question and a file; what is not published is its buyer's alone."""
    tender = Tender(
        number=f"ZC-{organisation}", title=f"邻街采购{organisation}", buyer_area_id=buyer, method="open",
        budget_fen=10_000_000, deadline_at=NOW + timedelta(days=22), contract_starts_on=date(2027, 2, 1),
        contract_ends_on=date(2028, 1, 31), published_at=NOW if published else None, created_at=NOW,
    )  # fmt: skip
    tender.lots = [
        Lot(position=1, name="助洁包", service_id=key("service/clean"), area_id=area, quantity=60_000,
            ceiling_fen=10_000_000, created_at=NOW)
    ]  # fmt: skip
    tender.questions = [Question(organisation_id=key(organisation), text="?", created_at=NOW)]
    tender.documents = [
        TenderDocument(name="需求.pdf", media_type="application/pdf", size=1, sha256="0" * 64, content=b"x",
                       created_at=NOW)
    ]  # fmt: skip
    db.session.add(tender)
    db.session.flush()
    bid = Bid(tender_id=tender.id, organisation_id=key(organisation), version=1, place=1, manifest=b"{}",
              envelope=b"", parts=["", "", ""], commitment="0" * 64, created_at=NOW)  # fmt: skip
    receipt = {"text": json.dumps({"previous": "0" * 64, "head": "0" * 64})}
    db.session.add(BidEntry(tender_id=tender.id, bid=bid, place=1, kind="sealed", text="{}", head="0" * 64,
                            receipt=receipt, created_at=NOW))  # fmt: skip
    db.session.flush()
    return {
        "bid_id": bid.id, "place": 1, "number": 1,
        "tender_id": tender.id, "lot_id": tender.lots[0].id, "question_id": tender.questions[0].id,
        "document_id": tender.documents[0].id,
    }  # fmt: skip


def _over_time(household, head):
    """A missing paper, an assessment and a merge of a household; what it could be compared with."""
    home, other = key("household/" + household), {"chen": "lin", "far": "huang"}[household]
    paper = Paper(
        household_id=home, kind="income", due_on=date(2026, 12, 24), first_due_on=date(2026, 12, 24), created_at=NOW
    )
    assessed = Assessment(
        key_id=head.person.key_id, household_id=home, person_id=head.person_id, reason="first",
        assessed_on=date(2026, 11, 1), due_on=date(2027, 11, 1), level="severe", created_at=NOW,
    )  # fmt: skip
    lost = db.session.get(Household, key("household/" + other))
    merge = HouseholdMerge(
        kept_id=home, lost_id=lost.id, found_by="staff", kept_number="A001", lost_number="A009",
        lost_area_id=lost.area_id, moved={}, people=[], created_at=NOW,
    )  # fmt: skip
    area = db.session.get(Household, home).area_id
    certificate = CoverageCertificate(
        area_id=area, month="2026-10", counts={}, entries=[], digest="0" * 64, created_at=NOW
    )  # fmt: skip
    db.session.add_all([paper, assessed, merge, certificate])
    db.session.flush()
    return {
        "paper_id": paper.id, "assessment_id": assessed.id, "merge_id": merge.id, "other_id": lost.id,
        "certificate_id": certificate.id,
    }  # fmt: skip


def _data_request(user):
    made = DataRequest(kind="file", subject_kind="person", subject_id=user.person_id, reason="asked_by_person",
                       done_by=key("user/admin"), created_at=NOW, proof={})  # fmt: skip
    db.session.add(made)
    db.session.flush()
    return made


def _dated(room, name):
    """An absence and a paper of somebody, by the room whose pages show them."""
    day = date(2026, 12, 3)
    away = WorkException(person_id=key(name), kind="absent", first_day=day, last_day=day, created_at=NOW)
    held = HeldQualification(
        person_id=key(name), code="counsellor", valid_from=street.LONG_AGO, valid_to=None, created_at=NOW
    )
    db.session.add_all([away, held])
    db.session.flush()
    return {room + "exception_id": away.id, room + "held_id": held.id}


def _plan(area, visit):
    job = Job(kind="planning.solve", params={"area_id": area}, progress={}, result={}, created_at=NOW)
    db.session.add(job)
    db.session.flush()
    plan = Plan(
        area_id=area, number=1, first_day=date(2026, 11, 24), last_day=date(2026, 11, 29), job_id=job.id,
        solved_from=NOW, summary={"visits": 1}, objective={}, curve=[], surrogates={},
        expires_at=NOW + timedelta(days=30), created_at=NOW,
        unserved=[PlanUnserved(visit_id=visit.id, reason={"code": "no_one", "people": []}, proven=True)],
    )  # fmt: skip
    db.session.add(plan)
    db.session.flush()
    return plan, job


def _upload(clerk):
    upload = Upload(
        key_id=privacy.new_key("upload", NOW), kind="roster", area_id=street.USERS[clerk][4],
        created_by=key("user/" + clerk), created_at=NOW, file_digest="0" * 64, columns=[], summary={},
        expires_at=NOW + timedelta(days=7),
    )  # fmt: skip
    upload.file_name = f"名册-{clerk}.xlsx"
    db.session.add(upload)
    db.session.flush()
    return upload


__all__ = ["ACCOUNTS", "SUBJECTS", "Subject", "build_far", "build_near"]
