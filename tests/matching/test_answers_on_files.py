"""`explain` and `repair` on the command line."""

import json

from matching.__main__ import main
from matching.events import cancelled
from matching.instance_io import instance_to_json, load_plan, plan_to_json
from tests.matching.builders import carer, instance, plan, stop, visit, window


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
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["visit_id"], found["deciding"], found["proven"]) == ("w", "busy", False)
    assert found["fixes"][0]["code"] == "shift_window"


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
