"""How the codes of this room read."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

RATINGS = ("5A", "4A", "3A", "2A", "1A")
CARER_KIND_WORDS = {"carer": _l("carer"), "social_worker": _l("social worker")}
