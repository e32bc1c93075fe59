"""`python -m matching` on files, and without the platform around it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from matching.__main__ import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "street.json"


@pytest.fixture
def plan(tmp_path):
    out = tmp_path / "plan.json"
    assert main(["solve", str(EXAMPLE), "--iterations", "50", "--out", str(out)]) == 0
    return out


def test_a_plan_that_was_solved_passes_the_check(plan):
    assert main(["check", str(EXAMPLE), str(plan)]) == 0


def test_a_plan_that_was_tampered_with_fails_the_check(plan, capsys):
    data = json.loads(plan.read_text())
    data["routes"][0]["stops"][0]["start_minutes"] -= 300
    plan.write_text(json.dumps(data))
    assert main(["check", str(EXAMPLE), str(plan)]) == 1
    assert "problems" in capsys.readouterr().out


def test_a_plan_of_another_instance_fails_the_check(plan, capsys):
    data = json.loads(plan.read_text()) | {"instance_digest": "0" * 64}
    plan.write_text(json.dumps(data))
    assert main(["check", str(EXAMPLE), str(plan)]) == 1
    assert "another instance" in capsys.readouterr().out


def test_a_bad_instance_is_refused_with_the_field(tmp_path, capsys):
    data = json.loads(EXAMPLE.read_text())
    data["visits"][0]["service_minutes"] = -1
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(data))
    assert main(["solve", str(bad), "--seconds", "1"]) == 2
    assert "visits[0].service_minutes" in capsys.readouterr().err


def test_a_generated_street_is_the_same_for_the_same_seed(tmp_path):
    texts = []
    for name in ("one", "two"):
        out = tmp_path / name
        main(["generate", "--seed", "4", "--visits-per-day", "8", "--days", "2", "--carers", "3", "--out", str(out)])
        texts.append(out.read_text())
    assert texts[0] == texts[1]


def test_the_engine_runs_without_flask_and_without_the_platform():
    code = (
        "import sys; from matching.__main__ import main; "
        f"status = main(['solve', {str(EXAMPLE)!r}, '--iterations', '5']); "
        "bad = [m for m in sys.modules if m.split('.')[0] in ('flask', 'sqlalchemy', 'linkage')]; "
        "sys.exit(status or len(bad))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
