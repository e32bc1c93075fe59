"""The engine from the project's wheel, in an environment of its own that has no Flask (`make wheel-check`).

Builds the wheel, installs it with numpy, numba and ortools alone (in the locked versions), and runs
`python -m matching` from an empty folder: warm-up, solve, check, explain, repair, bench. Every command must end well
without any package of the platform; the compiled code must be in its cache after the first of them, so that the
second process does not compile again. Takes a few minutes, most of them for installing and compiling.

    python scripts/wheel_check.py [--keep FOLDER]
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEEDED = ("numpy", "numba", "ortools")
PLATFORM = ("flask", "sqlalchemy", "linkage", "werkzeug", "marshmallow")
RUN = (
    "import sys, importlib.util as u; from matching.__main__ import main; import matching;"
    "assert 'site-packages' in matching.__file__, matching.__file__;"
    "status = main(sys.argv[1:]);"
    f"loaded = [name for name in {PLATFORM!r} if name in sys.modules];"
    "assert not loaded, loaded; assert u.find_spec('flask') is None, 'Flask is installed';"
    "sys.exit(status)"
)
BENCH_FILE = {
    "patients": [
        {"id": "p1", "time_window": [0, 60], "required_caregivers": [{"service": "s", "duration": 15}] * 2},
        {"id": "p2", "time_window": [30, 90], "required_caregivers": [{"service": "s", "duration": 15}]},
    ],
    "caregivers": [{"id": name, "abilities": ["s"]} for name in ("a", "b")],
    "services": [{"id": "s"}],
    "distances": [[0, 5.5, 9], [5.5, 0, 7], [9, 7, 0]],
}


def main() -> int:
    """Run all steps; 0 if every one of them went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it there")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="wheel-check-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return steps(folder)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def steps(folder: Path) -> int:
    python = install(folder)
    compiled = {}
    for name, arguments in commands(folder):
        begun = time.perf_counter()
        done = subprocess.run([python, "-c", RUN, *arguments], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        print(f"{name:<10}exit {done.returncode}  {time.perf_counter() - begun:6.1f} s", flush=True)
        if done.returncode:
            print(done.stdout[-2000:] + done.stderr[-2000:])
            return 1
        compiled[name] = {path.name for path in machine_code(folder)}
    if not compiled["warm-up"] or compiled["solve"] != compiled["warm-up"]:
        print(f"compiled again after warm-up: {sorted(compiled['solve'] - compiled['warm-up'])[:9]}")
        return 1
    print(f"{len(compiled['warm-up'])} files of machine code in the cache after warm-up, and no more after solve")
    return 0


def install(folder: Path) -> Path:
    """A new environment with the wheel and what the engine needs; the path of its Python."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(pip, check=True)  # noqa: S603
    (wheel,) = folder.glob("linkage-*.whl")
    venv.create(folder / "env", with_pip=True, clear=True)
    python = folder / "env" / "bin" / "python"
    begin = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*begin, "-c", locked(folder), *NEEDED], check=True)  # noqa: S603
    subprocess.run([*begin, "--no-deps", wheel], check=True)  # noqa: S603
    return python


def locked(folder: Path) -> Path:
    """The versions of `requirements/run.txt` as constraints, without their hashes."""
    text = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    path = folder / "constraints.txt"
    path.write_text("\n".join(re.findall(r"^[A-Za-z0-9_.-]+==[^\s\\;]+", text, re.MULTILINE)), encoding="utf-8")
    return path


def commands(folder: Path) -> list[tuple[str, list[str]]]:
    bench = folder / "bench"
    bench.mkdir(exist_ok=True)
    (bench / "Z1.json").write_text(json.dumps(BENCH_FILE), encoding="utf-8")
    small = ["--visits-per-day", "12", "--days", "1", "--carers", "2", "--volunteers", "1"]
    return [
        ("warm-up", ["warm-up"]),
        ("generate", ["generate", *small, "--out", "street.json"]),
        ("solve", ["solve", "street.json", "--iterations", "50", "--out", "plan.json"]),
        ("check", ["check", "street.json", "plan.json"]),
        ("explain", ["explain", "street.json", "plan.json", "--json", "why.json"]),
        ("repair", ["repair", "street.json", "plan.json", "--out", "again.json"]),
        ("bench", ["bench", str(bench), "--seconds", "1", "--json", "rows.json", "--solutions", "solutions"]),
    ]


def machine_code(folder: Path) -> list[Path]:
    return list(folder.glob("env/lib/python*/site-packages/matching/kernel/__pycache__/numba-*/**/*.nbc"))


if __name__ == "__main__":
    sys.exit(main())
