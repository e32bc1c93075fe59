"""Open data: a release with each transition, valid against the published schema, never changed afterwards."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import tendering
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4
from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError

from linkage.core.extensions import db
from linkage.organisations.models import Organisation
from linkage.procurement import ocds, operations, publication
from linkage.procurement.models import Release

SCHEMAS = Path(__file__).parents[2] / "data" / "ocds"


def schema(name):
    return json.loads((SCHEMAS / f"{name}-schema.json").read_text())


@pytest.fixture(scope="module")
def published_schemas():
    """The schemas by their published addresses, so that nothing is asked of a network."""
    kept = [schema(name) for name in ("release", "versioned-release-validation", "release-package", "record-package")]
    return Registry().with_resources([(one["id"], Resource(one, DRAFT4)) for one in kept])


def faults(package, name, registry):
    return [error.message for error in Draft4Validator(schema(name), registry=registry).iter_errors(package)]


@pytest.fixture
def tender(ctx, commit, world, now):
    """Published, asked, answered, clarified, suspended, resumed and cancelled."""
    by = world.actor("supervisor")

    def published():
        tender = tendering.draft()
        operations.add_document(tender, "需求.pdf", "application/pdf", b"x", by=by, now=now)
        publication.publish(tender, by=by, now=now)
        return tender

    tender = tendering.keep(published)
    lukang = db.session.get(Organisation, world.key("lukang"))
    question = commit(lambda: publication.ask(tender, lukang, "含税吗？", by=world.actor("manager"), now=now))
    day = timedelta(days=1)
    for step in (
        lambda: publication.answer(question, "含税。", by=by, now=now),
        lambda: publication.clarify(tender, "增加服务点", True, by=by, now=now + day),
        lambda: publication.suspend(tender, now + 3 * day, "投诉", by=by, now=now + 2 * day),
        lambda: publication.resume(tender, by=by, now=now + 2 * day),
        lambda: publication.cancel(tender, "预算取消", by=by, now=now + 4 * day),
    ):
        commit(step)
    return tendering.stored(tender.id)


def test_each_transition_has_its_release_valid_against_the_published_schema(tender, published_schemas):
    package = ocds.release_package(tender, "https://example.org/releases.json")
    tags = [release["tag"] for release in package["releases"]]
    assert tags == [["tender"], *[["tenderUpdate"]] * 4, ["tenderCancellation"]]
    assert faults(package, "release-package", published_schemas) == []
    assert [faults(release, "release", published_schemas) for release in package["releases"]] == [[]] * 6


def test_the_compiled_record_is_valid_and_says_how_it_ended(tender, published_schemas):
    package = ocds.record_package(tender, "https://example.org/record.json")
    assert faults(package, "record-package", published_schemas) == []
    compiled = package["records"][0]["compiledRelease"]
    assert compiled["tag"] == ["compiled"] and compiled["tender"]["status"] == "cancelled"
    assert compiled["tender"]["enquiries"][0]["answer"] == "含税。"


def test_the_check_against_the_schema_can_fail(tender, published_schemas):
    package = ocds.record_package(tender, "https://example.org/record.json")
    package["records"][0]["compiledRelease"]["tender"]["value"]["amount"] = "300000"
    assert faults(package, "record-package", published_schemas) != []
    release = ocds.releases_of(tender)[0].body
    assert faults({**release, "tag": ["invented"]}, "release", published_schemas) != []


def test_the_first_release_says_what_was_published(tender):
    body = ocds.releases_of(tender)[0].body["tender"]
    assert body["tenderPeriod"] == {"startDate": "2026-11-24T10:20:00+08:00", "endDate": "2026-12-16T09:00:00+08:00"}
    assert body["value"] == {"amount": 300_000, "currency": "CNY"}
    assert [(lot["title"], lot["value"]["amount"]) for lot in body["lots"]] == [
        ("助浴包", 100_000), ("助洁包", 100_000), ("助餐包", 100_000)
    ]  # fmt: skip
    assert "amendments" not in body


def test_a_release_is_never_changed(tender, commit):
    with pytest.raises(DatabaseError, match="append-only"):
        commit(lambda: db.session.execute(update(Release).values(tags=[])))
    assert len(db.session.scalars(select(Release)).all()) == 6


def test_open_data_is_served_without_an_account_and_names_no_asker(tender, app):
    nobody = app.test_client()
    for name in ("releases", "record"):
        answer = nobody.get(f"/tenders/{tender.id}/{name}.json")
        assert answer.status_code == 200 and answer.mimetype == "application/json"
        assert "增加服务点" in answer.text and "鹭康" not in answer.text


def test_money_is_exact_to_the_fen():
    assert json.dumps([ocds.amount(fen)["amount"] for fen in (231_111_040, 1, 10, 199_999)]) == (
        "[2311110.4, 0.01, 0.1, 1999.99]"
    )
