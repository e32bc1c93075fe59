"""The corpus of hostile and messy files, each read once by the limited child: outcome, time and memory.

``python scripts/corpus.py --report`` prints a line a file and ends with status 1 when one was not as expected, took
more than 10 seconds or more than 300 MB. ``--write FOLDER`` writes the files, to look at them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT / "tests/linkage/imports")]

from corpus.hostile import HOSTILE  # noqa: E402
from corpus.making import Case  # noqa: E402
from corpus.messy import MESSY  # noqa: E402

from linkage.imports.reading import FileRefused, check_name, child_command, child_environment  # noqa: E402

ALL = (*HOSTILE, *MESSY)
MOST_SECONDS, MOST_MEGABYTES = 10.0, 300.0
LATER = {"heading", "no_rows", "other_kind"}  # the child reads it, the kind refuses it


def read(content: bytes) -> tuple[str, float, float]:
    """Outcome ("read" or the reason), seconds and the child's most megabytes."""
    file = os.memfd_create("file")
    os.write(file, content)
    os.lseek(file, 0, os.SEEK_SET)
    answer, into = os.pipe()
    started = time.monotonic()
    actions = [
        (os.POSIX_SPAWN_DUP2, file, 0),
        (os.POSIX_SPAWN_DUP2, into, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    command = child_command()
    pid = os.posix_spawn(command[0], command, child_environment(), file_actions=actions)
    os.close(into)
    last = b"{}"
    with os.fdopen(answer, "rb") as lines:
        for last in lines:  # noqa: B007
            pass
    _pid, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - started
    os.close(file)
    said = json.loads(last) if not status and last.startswith(b"{") else {"refused": "died"}
    return said.get("refused", "read"), seconds, usage.ru_maxrss / 1024


def made(folder: Path) -> list[Path]:
    """All files, made in a process of its own: what it took to make is not counted as what it takes to read."""
    subprocess.run([sys.executable, __file__, "--write", str(folder)], check=True)  # noqa: S603
    return sorted(folder.iterdir())


def outcome(case: Case, content: bytes) -> tuple[str, float, float]:
    try:
        check_name(case.file)
    except FileRefused as refused:
        return refused.reason, 0.0, 0.0
    return read(content)


def is_right(case: Case, found: str) -> bool:
    if not case.outcome:
        return found == "read"
    return found in case.outcome or (found == "read" and bool(LATER & set(case.outcome)))


def report(folder: Path) -> int:
    worst_time, worst_memory, wrong = ("", 0.0), ("", 0.0), []
    print(f"{'':8} {'outcome':10} {'ms':>6} {'MB':>5} {'file, kB':>9}  what")
    for number, (case, file) in enumerate(zip(ALL, made(folder), strict=True)):
        kind = "hostile" if number < len(HOSTILE) else "messy"
        content = file.read_bytes()
        found, seconds, megabytes = outcome(case, content)
        worst_time = max(worst_time, (case.name, seconds), key=lambda pair: pair[1])
        worst_memory = max(worst_memory, (case.name, megabytes), key=lambda pair: pair[1])
        good = is_right(case, found) and seconds <= MOST_SECONDS and megabytes <= MOST_MEGABYTES
        if not good:
            wrong.append(case.name)
        size = len(content) / 1024
        note = "" if good else "  WRONG"
        print(f"{kind:8} {found:10} {seconds * 1000:6.0f} {megabytes:5.0f} {size:9.1f}  {case.name}{note}")
    print(f"{len(HOSTILE)} hostile and {len(MESSY)} messy files; {len(wrong)} not as expected.")
    print(
        f"Longest: {worst_time[1]:.1f} s ({worst_time[0]}). Most memory: {worst_memory[1]:.0f} MB ({worst_memory[0]})."
    )
    return 1 if wrong else 0


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(ALL):
        suffix = Path(case.file).suffix if case.file.isprintable() else ".xlsx"
        (folder / f"{number:03d} {case.name.replace('/', ' ')[:60]}{suffix}").write_bytes(case.make())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help="read every file and print what came of it")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write the files to a folder")
    chosen = parser.parse_args()
    if chosen.write:
        write(chosen.write)
    if chosen.write and not chosen.report:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return report(Path(folder))


if __name__ == "__main__":
    sys.exit(main())
