"""What a reader has to hold in mind at once: a function of 60 lines, a file of 500. What is longer stands here with its
reason and its length, and may only get shorter.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("platform", "matching", "scripts", "tests")
MOST_IN_FUNCTION, MOST_IN_FILE = 60, 500
EXCEPTIONS: dict[str, tuple[int, str]] = {}


def lengths():
    """name → (lines, allowed), of every file, and of every function by its file."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name, text = str(path.relative_to(ROOT)), path.read_text()
            yield name, text.count("\n"), MOST_IN_FILE
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{name} {node.name}", node.end_lineno - node.lineno + 1, MOST_IN_FUNCTION


def test_no_function_and_no_file_is_longer_than_one_can_hold_in_mind():
    long = {name: lines for name, lines, allowed in lengths() if lines > allowed}
    grown = {name: lines for name, lines in long.items() if name not in EXCEPTIONS or lines > EXCEPTIONS[name][0]}
    assert grown == {}, "split it (an exception here needs a reason, and only gets shorter)"


def test_no_exception_outlives_its_reason():
    long = {name for name, lines, allowed in lengths() if lines > allowed}
    assert set(EXCEPTIONS) - long == set(), "short enough by now: take it off the list"
