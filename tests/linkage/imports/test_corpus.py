"""Every file of the corpus has its outcome: hostile ones their refusal, messy ones their households."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sheets  # noqa: E402
from corpus.hostile import HOSTILE  # noqa: E402
from corpus.messy import MESSY  # noqa: E402

from linkage.areas.models import Area  # noqa: E402
from linkage.core.clock import local_date  # noqa: E402
from linkage.core.extensions import db  # noqa: E402
from linkage.imports import understanding  # noqa: E402
from linkage.imports.kinds import KINDS  # noqa: E402
from linkage.imports.operations import all_rows  # noqa: E402
from linkage.imports.reading import FileRefused, read_sheets  # noqa: E402


def understood(case, world, now):
    """The households of a file as the roster understands them, and their faults."""
    roster = KINDS["roster"]
    tables = read_sheets(case.make(), case.file)
    headings = understanding.find_headings(roster, tables)
    by_sheet = {heading.sheet: heading for heading in headings}
    rows = [understanding.row_of(stored, by_sheet) for stored in all_rows(headings, tables)]
    scene = roster.scene(db.session.get(Area, 4), world.actor("clerk"), local_date(now))
    groups = roster.group(rows)
    found = [roster.examine(group, scene) for group in groups]
    faults = {
        (group[fault.row].number, fault.field, fault.code)
        for group, one in zip(groups, found, strict=True)
        for fault in one.faults
    }
    return [one.plan for one in found], faults


def facts(plan):
    """What a household is, however it was written."""
    people = [
        (member.draft.name, member.relation, member.draft.birth_date, member.draft.telephone, member.draft.id_number)
        for member in plan.members
    ]
    needs = [
        (need.service.code, need.facts["starts_on"], need.facts["recurrence"], need.facts["window_start"],
         need.facts["window_end"], need.facts["duration_minutes"])
        for need in plan.needs
    ]  # fmt: skip
    tags = sorted(tag.tag for tag in plan.tags)
    return plan.number, plan.facts["address"], people, needs, tags, [draft.given_on for draft in plan.consents]


@pytest.fixture(scope="module")
def expected():
    return {}


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_hostile_file_is_refused_with_a_sentence(ctx, case, world, now):
    with pytest.raises(FileRefused) as refused:
        understood(case, world, now)
    assert refused.value.reason in case.outcome
    assert str(refused.value.message) and str(refused.value.remedy)


@pytest.mark.parametrize("case", MESSY, ids=lambda case: case.name)
def test_a_messy_file_is_understood(ctx, case, world, now, expected):
    if not expected:
        plans, _faults = understood(MESSY[0], world, now)
        expected["households"] = [facts(plan) for plan in plans]
        assert [plan.number for plan in plans] == ["007", "008"]
    plans, faults = understood(case, world, now)
    assert faults == case.faults
    assert len(plans) == case.households
    if case.same:
        assert [facts(plan) for plan in plans] == expected["households"]
    assert sheets.GOOD[0][1] in {member.draft.name for plan in plans for member in plan.members}


def test_the_corpus_is_as_large_as_it_must_be():
    assert len(HOSTILE) >= 40 and len(MESSY) >= 40
    assert len({case.name for case in HOSTILE + MESSY}) == len(HOSTILE) + len(MESSY)
