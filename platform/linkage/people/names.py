"""How a person's name sorts: its readings as one text (what finds people while typing stands in `PersonKey`)."""

from __future__ import annotations

from linkage.core.readings import combined, folded, readings

MAX_READINGS = 12


def name_keys(name: str) -> str:
    """The readings in one string, each between bars: ``|zengaizhen|zaz|``; at most 12 of each form."""
    combos = combined(readings(folded(name)), MAX_READINGS)
    keys = dict.fromkeys(
        ["".join(parts) for parts in combos] + ["".join(part[0] for part in parts) for parts in combos]
    )
    text = "|" + "|".join(keys) + "|"
    return text if len(text) <= 400 else text[: text.rindex("|", 0, 400) + 1]
