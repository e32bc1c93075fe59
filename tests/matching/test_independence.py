"""The checker shares no code with the solvers, and every rule of it has a bad twin."""

import ast
import subprocess
import sys
from pathlib import Path

import matching.feasibility
from matching.feasibility import ViolationCode

PACKAGE = Path(matching.feasibility.__file__).parent
ALLOWED = ("matching.feasibility", "matching.instance", "matching.plan")


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_the_checker_imports_nothing_of_ours_but_the_data_classes():
    for path in PACKAGE.glob("*.py"):
        ours = {name for name in imported(path) if name.startswith("matching")}
        assert all(name in ALLOWED or name.startswith("matching.feasibility.") for name in ours), (path.name, ours)


def test_every_violation_is_provoked_by_some_test():
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_feasibility*.py"))
    assert [code.name for code in ViolationCode if f"C.{code.name}" not in tests] == []


def test_the_library_is_used_without_flask_or_a_database():
    """In a process of its own: what this one has imported already does not count."""
    code = (
        "import sys, matching.solve, matching.explain, matching.repair, matching.city_solve;"
        "print(*sorted({'flask', 'sqlalchemy', 'linkage', 'distributed'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (0, "\n")
