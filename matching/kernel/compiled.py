"""The decorator of all compiled functions, and where their machine code is kept.

Numba keeps a function's code until the function's own file changes; it does not notice that a function
it calls has changed in another file. So the folder of the cache carries a digest of all compiled
sources: any change compiles everything anew, once.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit

settings: Any = config
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "no_cfunc_wrapper": True}
_HERE = Path(__file__).parent
_SOURCES = (*sorted(_HERE.glob("*.py")), *(_HERE.parent / f"{n}.py" for n in ("construction", "local_search")))


def _folder() -> Path:
    """A folder of this version's own: below NUMBA_CACHE_DIR if that is set, else beside the sources."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()[:16]
    given = settings.CACHE_DIR
    places = [Path(given)] if given else [_HERE / "__pycache__", Path(tempfile.gettempdir()) / "matching"]
    for place in places:
        folder = place / f"numba-{digest}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if not given:
            _forget_others(folder)
        return folder
    return places[-1]


def _forget_others(kept: Path) -> None:
    """Machine code of earlier versions of these sources is of no more use."""
    for folder in kept.parent.glob("numba-*"):
        if folder != kept:
            shutil.rmtree(folder, ignore_errors=True)


settings.CACHE_DIR = str(_folder())
Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile a function without the interpreter lock, and keep its machine code."""
    compiled: Any = njit(**OPTIONS)
    return compiled(function)  # type: ignore[no-any-return]
