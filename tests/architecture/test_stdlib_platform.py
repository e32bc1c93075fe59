"""`platform/` is a plain source folder: `import platform` must always give the standard library's module."""

import os
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STDLIB = Path(sysconfig.get_path("stdlib")) / "platform.py"

# Python imports `sitecustomize` at its start; this one writes at the end which `platform` the process has.
PROBE = """
import atexit, os
def tell():
    import platform, sys
    loaded = "linkage.core" in sys.modules
    open(os.environ["PLATFORM_PROBE"], "w").write(f"{loaded} {platform.__file__}")
atexit.register(tell)
"""

WAYS = {
    "python app.py": ["app.py"],
    "flask": ["-m", "flask", "--app", "app", "routes"],
    "waitress": ["-c", "import waitress, importlib; importlib.import_module('app')"],
    "pytest": ["-c", "import pytest; pytest.main(['--collect-only', 'tests/architecture/test_imports.py'])"],
    "python -m pytest": ["-m", "pytest", "--collect-only", "tests/architecture/test_imports.py"],
}


@pytest.mark.parametrize("way", WAYS)
def test_import_platform_gives_the_standard_library(way, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(PROBE)
    probe = tmp_path / "seen"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        # `python app.py` finds its port taken and ends, having imported everything.
        env = {
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "PLATFORM_PROBE": str(probe),
            "PORT": str(taken.getsockname()[1]),
            "LINKAGE_DATA_DIR": str(tmp_path / "var"),
        }
        subprocess.run([sys.executable, *WAYS[way]], cwd=ROOT, env=env, capture_output=True, timeout=120)
    loaded, path = probe.read_text().split(" ", 1)
    assert (loaded, Path(path)) == ("True", STDLIB)


def test_the_source_folder_is_no_package_and_holds_no_module():
    assert not list((ROOT / "platform").glob("*.py"))
