"""What the street and the district have bought: contract lines with their caps; one of them is nearly used up."""

from __future__ import annotations

from datetime import date

from linkage.contracts.operations import ContractDraft, LineDraft, enter_contract
from linkage.demo import accounts
from linkage.demo.setting import STREET, Story
from linkage.organisations.models import Organisation
from linkage.services.queries import by_code

REHAB_LINE = "基础康复"
REHAB_CAP = 600
# organisation: number, title, value in yuan, lines of (name, services, unit, fen, cap a month, quota, tags)
BOUGHT = {
    "鹭康养老": (
        "JLHT-2601", "居家养老服务采购", 1_960_000,
        (
            ("助浴照护", ("bath", "care"), "minutes", 6800, 21_000, 1800, ()),
            ("日常护理", ("nursing",), "minutes", 7600, 4_800, 1200, ()),
            (REHAB_LINE, ("rehab",), "minutes", 8200, REHAB_CAP, None, ()),
            ("助餐", ("meal",), "meals", 900, 900, 40, ()),
            ("助医", ("clinic",), "minutes", 5200, 3_600, None, ()),
        ),
    ),
    "嘉和家政": (
        "JLHT-2602", "家政与助餐服务采购", 860_000,
        (
            ("助洁代办", ("clean", "errand"), "minutes", 4500, 9_000, 720, ()),
            ("助餐", ("meal",), "meals", 850, 700, 40, ()),
            ("小事", ("micro",), "visits", 2500, 60, None, ()),
        ),
    ),
    "心桥社工": (
        "JLHT-2603", "社会工作专业服务采购", 720_000,
        (
            ("心理干预", ("counsel",), "minutes", 12000, 2_400, None, ()),
            ("邻里与信访", ("mediation", "petition"), "minutes", 9000, 2_400, None, ()),
            ("陪伴", ("company",), "minutes", 5000, 4_800, 480, ()),
        ),
    ),
}  # fmt: skip


def enter_all(organisations: dict[str, Organisation], story: Story, *, times: int = 1) -> None:
    """Enter the contracts; `times` as much is bought for a larger street, without a quota for each person then."""
    street = accounts.area_of(STREET)
    by = accounts.actor("coordinator", story.setup)
    starts, ends = story.long_ago, date(story.today.year + 1, 12, 31)
    for short, (number, title, value, lines) in BOUGHT.items():
        drafts = [
            LineDraft(
                services=tuple(by_code(code).id for code in codes),  # type: ignore[union-attr]
                areas=(street.id,), unit=unit, price_fen=price, monthly_cap=cap * times, starts_on=starts, ends_on=ends,
                name=name, eligible_tags=tags, monthly_quota=quota if times == 1 else None, rank=place,
            )
            for place, (name, codes, unit, price, cap, quota, tags) in enumerate(lines)
        ]  # fmt: skip
        head = ContractDraft(
            organisations[short].id, number, title, street.id, starts, starts, ends, value * 100 * times
        )
        enter_contract(head, drafts, by=by, now=story.setup)
