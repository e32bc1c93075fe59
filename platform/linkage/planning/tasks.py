"""Why a visit has nobody, in words, for the tasks that the visits show."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from linkage.planning.queries import gaps_in_force
from linkage.planning.reasons import reason_text
from linkage.visits.tasks import reasons_by


@reasons_by
def reasons(visit_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """What the published plan says of each of these visits."""
    return {visit_id: reason_text(gap.reason) for visit_id, gap in gaps_in_force(visit_ids).items()}
