"""Lists flattened into arrays: the small helpers of `arrays` and `candidacy`."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from matching.instance import Instance, Visit


def slot_pairs(instance: Instance) -> list[tuple[Visit, int]]:
    """Every (visit, slot number), in the order of the slot arrays."""
    return [(visit, k) for visit in instance.visits for k in range(len(visit.slots))]


def ints(values: Iterable[Any]) -> np.ndarray:
    return np.array(list(values), dtype=np.int64)


def floats(values: Iterable[Any]) -> np.ndarray:
    return np.array(list(values), dtype=np.float64)


def compressed(rows: Sequence[Sequence[Any]]) -> tuple[np.ndarray, list[Any]]:
    """Row pointers and the flat list of compressed rows."""
    pointers = np.concatenate(([0], np.cumsum([len(r) for r in rows], dtype=np.int64))).astype(np.int64)
    return pointers, [item for row in rows for item in row]
