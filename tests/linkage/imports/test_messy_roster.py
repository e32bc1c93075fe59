"""A messy roster of 300 households, in one pass: what a clerk must type is ten cells, nothing else."""

from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.imports import operations, queries
from linkage.imports.kinds import KINDS
from linkage.imports.reading import read_sheets
from tests.journeys import messy_roster as roster


def test_of_300_messy_households_ten_cells_must_be_put_right(ctx, commit, world, now, tmp_path):
    assert len(roster.MESS) >= 15
    content = roster.workbook(tmp_path / "走访名册.xlsx").read_bytes()
    sheets, clerk = read_sheets(content, "走访名册.xlsx"), world.actor("clerk")
    kind = KINDS["roster"]

    def receive():
        return operations.receive(sheets, content, "走访名册.xlsx", kind, db.session.get(Area, 4), by=clerk, now=now)

    upload = commit(receive)
    counts = queries.counts_of(upload)
    wrong = len(roster.WRONG)
    assert (counts.bad, counts.good) == (wrong, roster.HOUSEHOLDS - wrong)
    letters = operations.headings_of(upload)["2026年11月"].letters()
    names = {roster.ID: "id_number", roster.PHONE: "telephone", roster.BIRTH: "birth_date", roster.SIGNED: "consent_on",
             roster.TAGS: "tags", roster.HOURS: "window", roster.START: "starts_on"}  # fmt: skip
    edits = {}
    for group, (number, (place, _spoil)) in zip(queries.bad_groups(upload), roster.WRONG.items(), strict=True):
        edits[group.id, 0, letters[names[place]]] = roster.right(number, place)
    assert commit(lambda: operations.set_cells(upload, edits, by=clerk, now=now)) == wrong
    counts = queries.counts_of(upload)
    assert (counts.bad, counts.good, counts.new) == (0, roster.HOUSEHOLDS, roster.HOUSEHOLDS)
