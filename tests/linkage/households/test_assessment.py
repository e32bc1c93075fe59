"""GB/T 42195 by hand: 26 items, 90 points, boundaries 90, 66, 46, 30, and what makes a level one worse."""

import re
from datetime import date, timedelta

import pytest

from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.households import assessing, assessment, due, operations
from linkage.households.assessment import FLOORS, ITEMS, PARTS, TOP, Factors
from linkage.households.checks import CheckDraft, record_check
from linkage.households.models import Assessment, Household
from linkage.households.periodic import refresh_rhythm

BEST = {code: item.top for code, item in ITEMS.items()}
TODAY = date(2026, 11, 24)


def scores(total):
    """Answers that add up to `total`, taken away from the first items on."""
    found, away = dict(BEST), TOP - total
    for code in found:
        taken = min(away, found[code])
        found[code] -= taken
        away -= taken
    return found


def home(world, name="chen"):
    return db.session.get(Household, world.key("household/" + name))


@pytest.fixture
def assess(commit, world, now):
    """``assess(38)``: the head of a household is assessed with so many points; its level."""

    def run(total, name="chen", *, reason="first", on=TODAY, at=None, by="clerk", **factors):
        def record():
            member = home(world, name).members[0]
            row = assessing.record_assessment(
                member, scores(total), Factors(**factors), reason=reason, on=on, by=world.actor(by), now=at or now
            )
            return row.level

        return commit(record)

    return run


def test_the_standard_has_26_items_in_four_parts_of_32_15_28_and_15_points():
    assert len(ITEMS) == 26
    assert [part.top for part in PARTS] == [32, 15, 28, 15] and TOP == 90


@pytest.mark.parametrize(
    ("points", "level"),
    [(90, "intact"), (89, "mild"), (66, "mild"), (65, "moderate"), (46, "moderate"), (45, "severe"), (30, "severe"),
     (29, "total"), (0, "total")],
)  # fmt: skip
def test_the_levels_change_exactly_at_their_boundaries(points, level):
    assert sum(assessment.part_sums(scores(points))) == points
    assert assessment.level_of(points) == level


def test_every_sum_has_one_level_and_levels_never_get_better_with_fewer_points():
    levels = [assessment.LEVELS.index(assessment.level_of(points)) for points in range(TOP, -1, -1)]
    assert levels == sorted(levels) and set(levels) == set(range(5)) and FLOORS["total"] == 0


@pytest.mark.parametrize(
    ("points", "factors", "level"),
    [
        (90, {"coma": True}, "total"),
        (90, {"dementia": True}, "mild"),
        (66, {"disorder": True}, "moderate"),
        (46, {"events": {"fall": 2}}, "severe"),
        (46, {"events": {"fall": 1, "lost": 1}}, "severe"),
        (46, {"events": {"fall": 1}}, "moderate"),
        (66, {"dementia": True, "disorder": True, "events": {"fall": 5}}, "moderate"),  # once, not three times
        (10, {"dementia": True}, "total"),
    ],
)
def test_a_diagnosis_or_two_risk_events_make_it_one_level_worse_and_a_coma_total(points, factors, level):
    assert assessment.final_level(points, Factors(**factors)) == level


def test_a_case_by_hand_from_the_pages_picture(assess, ctx, world):
    """12 of 32, 6 of 15, 14 of 28, 6 of 15: 38 points, severe."""
    assert assess(38) == "severe"
    row = db.session.query(Assessment).one()
    assert row.facts["total"] == 38 == sum(row.facts["parts"]) and row.level == "severe"


def test_the_server_adds_up_and_a_typed_total_is_not_read(sign_in, world, ctx):
    url = f"/households/{world.key('household/lin')}/members/{db_member(world, 'lin')}/assessment"
    answers = {f"item_{code}": str(points) for code, points in scores(40).items()}
    form = {**answers, "reason": "first", "assessed_on": "2026-11-24", "total": "90", "level": "intact"}
    assert sign_in("clerk").post(url, data=form).status_code == 303
    db.session.rollback()
    row = db.session.query(Assessment).one()
    assert (row.level, row.facts["total"], home(world, "lin").care_level) == ("severe", 40, "severe")


def db_member(world, name):
    return home(world, name).members[0].id


def test_what_was_ticked_stays_ticked_when_an_answer_is_missing(sign_in, world, ctx):
    url = f"/households/{world.key('household/lin')}/members/{db_member(world, 'lin')}/assessment"
    answers = {f"item_{code}": str(points) for code, points in BEST.items() if code != "memory"}
    answer = sign_in("clerk").post(url, data={**answers, "reason": "first", "assessed_on": "2026-11-24"})
    page = answer.get_data(as_text=True).split("<main")[1]
    assert answer.status_code == 422 and page.split("</form>")[0].count(" checked") == 26  # 25 answers and the reason
    assert 'href="#f-item_memory"' in page


def test_scores_are_sealed_and_the_level_is_the_households(assess, ctx, world):
    assess(38, dementia=True)
    row = db.session.query(Assessment).one()
    assert b"eating" not in row.facts_sealed and row.key_id == home(world).members[0].person.key_id
    assert home(world).care_level == "total"
    recorded = db.session.query(AuditRow).filter_by(action="households.assess").one()
    assert "38" not in str(recorded.detail)


def test_without_the_consent_to_health_facts_nothing_is_recorded_or_shown(assess, commit, ctx, world, now, sign_in):
    assess(38)
    row = db.session.query(Assessment).one().id
    commit(lambda: operations.withdraw_consent(home(world), "health", by=world.actor("clerk"), now=now))
    with pytest.raises(Conflict):
        assess(38, reason="regular")
    page = sign_in("clerk").get(f"/households/{world.key('household/chen')}/assessments/{row}").get_data(as_text=True)
    drawn_by_chance = r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=value=\")[\w-]{20,}(?=\")"  # ids and keys of forms
    assert "38" not in re.sub(drawn_by_chance, "", page.split("<main")[1])


def test_reasons_follow_each_other(assess):
    assess(60, on=TODAY - timedelta(days=300))
    with pytest.raises(InvalidInput):
        assess(60, reason="first")
    assert assess(50, reason="immediate") == "moderate"
    with pytest.raises(InvalidInput):
        assess(50, "lin", reason="regular")


def test_an_old_assessment_entered_late_does_not_replace_the_latest(assess, ctx, world):
    assess(40)
    assess(80, reason="review", on=TODAY - timedelta(days=400))
    assert home(world).care_level == "severe"
    assert [row.level for row in assessing.history(world.key("chen/head"))] == ["severe", "mild"]


@pytest.mark.parametrize(
    ("points", "name", "visit_class", "days"),
    [(38, "chen", "high", 1), (50, "huang", "key", 30), (80, "huang", "general", 91)],
)
def test_the_level_presets_how_often_staff_look_in(assess, ctx, world, now, points, name, visit_class, days):
    """High within 24 hours of the change; key a month, general a quarter after it came on record."""
    assess(points, name, by="clerk2" if name == "huang" else "clerk")
    row = home(world, name)
    assert row.visit_class == visit_class
    if visit_class == "high":
        assert row.check_due_at <= now + timedelta(hours=24) or row.care_level == "severe"
    else:
        assert local_date(row.check_due_at - timedelta(minutes=1)) == TODAY + timedelta(days=days)


def test_high_risk_is_seen_within_24_hours_of_getting_worse_then_weekly(assess, commit, ctx, world, now):
    assess(60, "lin")
    assert home(world, "lin").visit_class == "key"
    later = now + timedelta(hours=1)
    assess(35, "lin", reason="immediate", at=later)
    assert home(world, "lin").check_due_at == later + timedelta(hours=24)
    seen = CheckDraft(TODAY, "well", minutes=25, note="精神好")
    commit(lambda: record_check(home(world, "lin"), seen, by=world.actor("clerk"), now=later))
    assert local_date(home(world, "lin").check_due_at - timedelta(minutes=1)) == TODAY + timedelta(days=7)


def test_an_assessment_that_falls_due_is_a_task_with_its_rows(assess, ctx, world, now):
    assess(60, on=TODAY - timedelta(days=340))
    assert due.count(world.actor("clerk"), "assessments", now) == 1
    assert due.count(world.actor("clerk2"), "assessments", now) == 0


def test_who_got_worse_is_to_be_assessed_today(commit, ctx, world, now):
    commit(lambda: record_check(home(world), CheckDraft(TODAY, "worse"), by=world.actor("clerk"), now=now))
    assert home(world).members[0].assess_due_on == TODAY


def test_the_night_sets_the_rhythm_of_households_that_have_none(ctx, world, now):
    refresh_rhythm(now)
    assert {home(world, name).visit_class for name in ("chen", "lin", "huang")} == {"high", "key", "general"}
    refresh_rhythm(now)
    assert db.session.query(AuditRow).filter_by(action="households.rhythm").count() == 4


def test_a_level_that_follows_from_an_assessment_is_not_typed(assess, commit, ctx, world, now):
    assess(38)
    with pytest.raises(InvalidInput):
        commit(lambda: change_level(world, now))


def change_level(world, now):
    row = home(world)
    operations.change_household(row, row_version=row.row_version, by=world.actor("clerk"), now=now, care_level="mild")


def test_points_are_for_the_households_staff_and_family_only(assess, ctx, world, sign_in):
    assess(38)
    url = f"/households/{world.key('household/chen')}"
    bars = " / 32"
    for name, told in (("clerk", True), ("coordinator", False), ("supervisor", False)):
        assert (bars in sign_in(name).get(url).get_data(as_text=True)) is told
    row = db.session.query(Assessment).one().id
    db.session.rollback()
    assert sign_in("chen_home").get(f"{url}/assessments/{row}").status_code == 200
    assert sign_in("coordinator").get(f"{url}/assessments/{row}").status_code == 403
