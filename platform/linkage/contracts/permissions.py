"""Who sees contracts and their capacity. A contract lies in an area that it serves, or that bought it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from linkage.areas.queries import lies_under
from linkage.contracts.models import Contract, ContractLine, LineArea
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.organisations.models import Organisation
from linkage.organisations.permissions import organisations_here

may_see = right(
    "contracts.see",
    "see a contract with its price and value",
    manager="organisation",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
may_see_line = right(
    "contracts.see_line",
    "see how much of a contract line is left",
    community="area",
    operator="area",
    manager="organisation",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
may_see_ledger = right(
    "contracts.ledger",
    "see each entry of a line's ledger",
    manager="organisation",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
may_enter = right(
    "contracts.enter", "enter a signed contract", coordinator="area", supervisor="area", administrator="area"
)
may_change = right(
    "contracts.change",
    "change a contract that the own area has bought, suspend or end it",
    coordinator="bought",
    supervisor="bought",
    administrator="bought",
)
see(Contract, may_see)
see(ContractLine, may_see_line)


def _served(grant: ActiveGrant) -> ColumnElement[bool]:
    """SQL on LineArea: the line's area lies in the grant's, or the grant's in it."""
    above = [int(part) for part in grant.area_path.strip("/").split("/") if part]
    return or_(LineArea.area_id.in_(above), lies_under(LineArea.area_id, grant.area_path))


@scope(ContractLine, "area")
def _line_in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return ContractLine.id.in_(select(LineArea.line_id).where(_served(grant)))


@scope(ContractLine, "organisation")
def _own_line(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return ContractLine.organisation_id == grant.organisation_id


@scope(ContractLine, "bought")
def _bought_line(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return ContractLine.contract_id.in_(select(Contract.id).where(_bought(actor, grant)))


@scope(Contract, "area")
def _in_area(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    serving = select(ContractLine.contract_id).where(_line_in_area(actor, grant))
    return or_(_bought(actor, grant), Contract.id.in_(serving))


@scope(Contract, "organisation")
def _own(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Contract.organisation_id == grant.organisation_id


@scope(Contract, "bought")
def _bought(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(Contract.buyer_area_id, grant.area_path)


@organisations_here
def _serving_here(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    """An organisation whose contract serves the area is at home there, too."""
    return Organisation.id.in_(select(ContractLine.organisation_id).where(_line_in_area(actor, grant)))
