"""Bad instances are refused by the name of the field; good ones survive a round trip; the schema is true."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.errors import InvalidInstance, InvalidPlan
from matching.instance import Instance
from matching.instance_io import (
    SCHEMA_FOLDER,
    instance_from_json,
    instance_to_json,
    load_instance,
    plan_from_json,
    plan_to_json,
    schemas,
)
from matching.solve import solve
from matching.stop import MaxIterations
from matching.validation import Limits
from tests.matching.random_instances import random_instance

EXAMPLE = Path(__file__).parents[2] / "examples" / "street.json"


def example():
    return json.loads(EXAMPLE.read_text())


def refusal(data, limits=None):
    with pytest.raises(InvalidInstance) as found:
        instance_from_json(json.dumps(data), limits or Limits())
    return found.value


def test_the_example_is_read():
    assert len(load_instance(EXAMPLE).visits) == 10


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_an_instance_survives_a_round_trip(seed):
    given_instance = random_instance(seed)
    assert instance_from_json(instance_to_json(given_instance)) == given_instance


def test_a_plan_survives_a_round_trip():
    made = solve(random_instance(11, visits=12), MaxIterations(50))
    assert plan_from_json(plan_to_json(made)) == made


@pytest.mark.parametrize("name", schemas())
def test_the_published_schema_is_up_to_date(name):
    """After a change of the model: python -m matching schema."""
    assert (SCHEMA_FOLDER / name).read_text() == schemas()[name]


def test_the_example_and_its_plan_satisfy_the_published_schemas():
    written = {"instance": example(), "plan": json.loads(plan_to_json(solve(load_instance(EXAMPLE), MaxIterations(5))))}
    for name, data in written.items():
        jsonschema.validate(data, json.loads((SCHEMA_FOLDER / f"{name}.schema.json").read_text()))


def put(path, value):
    """A change of the example: `path` is a list of keys and indices."""

    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


REST = {"earliest_start_minutes": 0, "latest_start_minutes": 9, "duration_minutes": 30}
BAD = [
    (put(["visits", 0, "service_minutes"], -5), "visits[0].service_minutes"),
    (put(["visits", 0, "service_minutes"], float("nan")), "visits[0].service_minutes"),
    (put(["visits", 0, "service_minutes"], "60"), "visits[0].service_minutes"),
    (put(["visits", 0, "service_minutes"], True), "visits[0].service_minutes"),
    (put(["visits", 1, "windows"], []), "visits[1].windows"),
    (
        put(["visits", 1, "windows"], [{"start_minutes": 600, "end_minutes": 540}]),
        "visits[1].windows[0].end_minutes",
    ),
    (
        put(["visits", 1, "windows"], [{"start_minutes": 99999, "end_minutes": 99999}]),
        "visits[1].windows[0].start_minutes",
    ),
    (put(["visits", 2, "required_qualifications"], ["juggling"]), "visits[2].required_qualifications[0]"),
    (put(["visits", 2, "service_id"], "juggling"), "visits[2].service_id"),
    (put(["visits", 2, "location_id"], "moon"), "visits[2].location_id"),
    (put(["visits", 2, "household_id"], "moon"), "visits[2].household_id"),
    (put(["visits", 2, "tier"], 12), "visits[2].tier"),
    (put(["visits", 2, "slots"], [{}, {}, {}]), "visits[2].slots"),
    (put(["visits", 2, "slots"], []), "visits[2].slots"),
    (put(["visits", 2, "colour"], "red"), "visits[2].colour"),
    (put(["visits", 3, "excluded_caregiver_ids"], ["nobody"]), "visits[3].excluded_caregiver_ids[0]"),
    (put(["visits", 3, "provider_kinds"], ["robot"]), "visits[3].provider_kinds[0]"),
    (put(["shifts", 0, "end_minutes"], 0), "shifts[0].end_minutes"),
    (put(["shifts", 0, "day"], 9), "shifts[0].day"),
    (put(["shifts", 0, "caregiver_id"], "nobody"), "shifts[0].caregiver_id"),
    (put(["shifts", 0, "mode_id"], "rocket"), "shifts[0].mode_id"),
    (
        put(["shifts", 0, "breaks"], [REST]),
        "shifts[0].breaks[0].earliest_start_minutes",
    ),
    (put(["caregivers", 0, "organisation_id"], None), "caregivers[0].organisation_id"),
    (
        put(["caregivers", 0, "work_limits"], [{"first_day": 1, "last_day": 0}]),
        "caregivers[0].work_limits[0].last_day",
    ),
    (
        put(["caregivers", 0, "absences"], [{"start_minutes": 9, "end_minutes": 9}]),
        "caregivers[0].absences[0].end_minutes",
    ),
    (put(["travel_modes", 0, "matrix_minutes", 1], [0]), "travel_modes[0].matrix_minutes[1]"),
    (put(["travel_modes", 0, "matrix_minutes", 1, 1], -1), "travel_modes[0].matrix_minutes[1][1]"),
    (put(["travel_modes", 0, "matrix_minutes"], None), "travel_modes[0]"),
    (put(["budgets", 0, "line_id"], "none"), "budgets[0].line_id"),
    (put(["budgets", 0, "cap"], 1.5), "budgets[0].cap"),
    (put(["contract_lines", 0, "unit"], "fen"), "contract_lines[0].unit"),
    (put(["weights"], {"new_face": -1}), "weights.new_face"),
    (put(["horizon_days"], 0), "horizon_days"),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=[field for _, field in BAD])
def test_a_bad_instance_is_refused_by_the_name_of_the_field(change, field):
    data = example()
    change(data)
    assert refusal(data).path == field


def test_an_id_that_occurs_twice_is_named():
    data = example()
    data["visits"].append(data["visits"][0])
    assert refusal(data).path == "visits[10].id"


def test_shifts_of_one_person_that_overlap_are_named():
    data = example()
    data["shifts"].append(data["shifts"][0] | {"id": "again"})
    assert refusal(data).path.startswith("shifts[")


def test_more_visits_than_configured_are_refused_before_they_are_looked_at():
    assert refusal(example(), Limits(visits=9)).path == "visits"


def test_a_million_visits_are_refused():
    data = example() | {"visits": [{}] * 1_000_000}
    assert refusal(data).path == "visits"


def test_a_missing_field_is_named():
    data = example()
    del data["visits"][4]["windows"]
    assert refusal(data).path == "visits[4].windows"


def test_what_is_not_json_is_refused_as_a_file():
    with pytest.raises(InvalidInstance, match="not JSON"):
        instance_from_json("{")
    with pytest.raises(InvalidPlan, match="must be an object"):
        plan_from_json("[]")


def test_windows_of_a_pair_may_not_overlap_because_both_start_in_the_same_one():
    data = example()
    row = data["visits"][0]
    span = row["windows"][0]
    row |= {"slots": [{}, {}], "windows": [span, span | {"end_minutes": span["end_minutes"] + 30}]}
    assert refusal(data).path == "visits[0].windows[1].start_minutes"


def test_the_classes_check_what_is_built_in_python_too():
    with pytest.raises(InvalidInstance) as found:
        solve(Instance(horizon_days=1, start_date=7), MaxIterations(0))  # type: ignore[arg-type]
    assert found.value.path == "start_date"
