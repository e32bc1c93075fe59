"""How levels of areas read."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

LEVEL_WORDS: dict[str, Any] = {
    "city": _l("City"),
    "district": _l("District"),
    "street": _l("Street or town"),
    "community": _l("Community or village"),
    "grid": _l("Grid"),
}
