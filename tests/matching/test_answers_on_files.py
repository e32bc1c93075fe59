"""`explain` and `repair` on the command line."""

import json

from matching.__main__ import main
from matching.events import cancelled
from matching.instance_io import instance_to_json, load_plan, plan_to_json
from tests.matching.builders import carer, instance, plan, shift, stop, visit, window


def files(tmp_path, of, made):
    of_file, plan_file = tmp_path / "instance.json", tmp_path / "plan.json"
    of_file.write_text(instance_to_json(of), encoding="utf-8")
    plan_file.write_text(plan_to_json(made), encoding="utf-8")
    return str(of_file), str(plan_file)


def one_too_many():
    at_ten = (window(600, 600),)
    of = instance([visit("v", windows=at_ten), visit("w", windows=at_ten)], [carer()])
    return of, plan(of, {"a-0": [stop("v", 600)]})


def test_explain_prints_reasons_and_fixes_as_json(tmp_path, capsys):
    assert main(["explain", *files(tmp_path, *one_too_many()), "--fixes", "1"]) == 0
    said = json.loads(capsys.readouterr().out)
    (found,) = said["unserved"]
    assert (found["visit_id"], found["deciding"], found["verdict"]) == ("w", "busy", "search-limited")
    assert found["fixes"][0]["code"] == "shift_window"
    assert found["fixes"][0]["price"] | found["fixes"][0]["candidate"]["change"]
    assert said["plan"]["continuity"] == {"slots": 1, "known": 0, "previous": [0, 0], "standing": [0, 0]}
    (term,) = [row for row in said["plan"]["terms"] if row["name"] == "travel_minutes"]
    assert (term["value"], term["points"]) == (20, 2000)
    assert said["plan"]["bounds"]["points_at_least"] <= said["plan"]["total_points"]


def test_explain_says_why_somebody_comes_and_who_would_be_next(tmp_path, capsys):
    of = instance([visit("v", 1)], [carer("a"), carer("b")], [shift("a"), shift("b", start_location_id="p5")])
    made = plan(of, {"a-0": [stop("v", 540)]})
    out = tmp_path / "why.json"
    assert main(["explain", *files(tmp_path, of, made), "--visit", "v", "--json", str(out)]) == 0
    (found,) = json.loads(out.read_text())["assignments"]
    assert (found["caregiver_id"], found["able"], found["agreed"]) == ("a", 1, False)
    assert found["next_best"]["places"][0]["caregiver_id"] == "b"
    assert found["dearer_points"] == 3500  # half an hour more of travel, and 10 minutes of unfairness


def test_the_table_has_a_change_or_a_proof_for_every_visit(capsys):
    assert main(["explain", "--table", "6", "--visits-per-day", "40", "--seed", "3"]) == 0
    assert "6 visits" in capsys.readouterr().out


def test_repair_writes_a_plan_that_check_accepts(tmp_path, capsys):
    of, made = one_too_many()
    now, before = files(tmp_path, cancelled(of, "v"), made)
    out = tmp_path / "repaired.json"
    assert main(["repair", now, before, "--out", str(out)]) == 0
    assert [s.visit_id for r in load_plan(out).routes for s in r.stops] == ["w"]
    assert main(["check", now, str(out)]) == 0


def test_a_file_that_is_no_instance_is_refused_with_status_two(tmp_path, capsys):
    of_file, plan_file = files(tmp_path, *one_too_many())
    assert main(["explain", plan_file, of_file]) == 2
    assert "refused" in capsys.readouterr().err
