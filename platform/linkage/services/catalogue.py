"""The catalogue that a new installation begins with (DOMAIN.md section 2). An administrator changes it on its pages.

Minimum and usual lengths follow what purchased home-care contracts in the region commonly state; they are defaults,
not law. Services end by their date and are never deleted: visits point to them.
"""

from __future__ import annotations

from typing import Any

CARERS = ["carer", "carer"]
CARER_AND_VOLUNTEER = ["carer", "volunteer"]
VOLUNTEERS = ["volunteer", "volunteer"]
SOCIAL_AND_VOLUNTEER = ["social_worker", "volunteer"]

# code, Chinese, English
QUALIFICATIONS = [
    ("care_worker", "养老护理员证", "Care worker certificate"),
    ("nurse", "护士执业证", "Nursing licence"),
    ("rehab_therapist", "康复治疗师证", "Rehabilitation therapist certificate"),
    ("social_worker_cert", "社会工作者职业资格证", "Social worker qualification"),
    ("counsellor", "心理咨询师证", "Psychological counsellor certificate"),
    ("first_aid", "救护员证", "First aid certificate"),
    ("mediator", "人民调解员证", "People's mediator certificate"),
    ("health_check", "健康证", "Health certificate"),
]


def _service(
    code: str, group: str, zh: str, en: str, icon: str, minutes: tuple[int, int], kinds: list[str], **more: Any
) -> dict[str, Any]:
    return {
        "code": code,
        "group": group,
        "name_zh": zh,
        "name_en": en,
        "icon": icon,
        "min_minutes": minutes[0],
        "default_minutes": minutes[1],
        "provider_kinds": kinds,
        "mixes": [],
        "qualifications": [],
        "volunteer_qualifications": [],
        "unit": "minutes",
        **more,
    }


SERVICES = [
    _service(
        "meal", "elderly", "助餐", "Meal delivery", "cup-hot", (10, 20), ["volunteer", "carer"], unit="meals",
        mixes=[CARERS, CARER_AND_VOLUNTEER, VOLUNTEERS],
        hint_zh="把饭菜送到家，看看老人的情况", hint_en="Bring a meal home and see how the person is",
    ),
    _service(
        "bath", "elderly", "助浴", "Bath help", "droplet-half", (40, 60), ["carer"], mixes=[CARERS],
        qualifications=["care_worker"], risk="raised", two_people="severe", adults_only=True,
        hint_zh="洗澡、擦浴、剪指甲", hint_en="Bathing, washing in bed, cutting nails",
    ),
    _service(
        "clean", "elderly", "助洁", "Cleaning", "stars", (30, 90), ["carer", "volunteer"],
        mixes=[CARERS, CARER_AND_VOLUNTEER, VOLUNTEERS],
        hint_zh="打扫、洗衣、整理", hint_en="Cleaning, laundry, tidying up",
    ),
    _service(
        "clinic", "elderly", "助医", "Going to the doctor", "hospital", (60, 180),
        ["carer", "social_worker", "volunteer"],
        mixes=[CARERS, CARER_AND_VOLUNTEER, SOCIAL_AND_VOLUNTEER], volunteer_qualifications=["first_aid"],
        risk="raised", adults_only=True,
        hint_zh="陪诊、取药、代办住院手续", hint_en="Going along to the doctor, fetching medicine, hospital papers",
    ),
    _service(
        "company", "elderly", "陪伴", "Company", "chat-heart", (30, 60), ["volunteer", "social_worker", "carer"],
        mixes=[VOLUNTEERS, SOCIAL_AND_VOLUNTEER, CARER_AND_VOLUNTEER],
        hint_zh="聊天、读报、陪同散步", hint_en="Talking, reading aloud, a walk together",
    ),
    _service(
        "care", "elderly", "照护", "Personal care", "heart-pulse", (60, 120), ["carer"], mixes=[CARERS],
        qualifications=["care_worker"], risk="raised", two_people="severe", adults_only=True,
        hint_zh="喂饭、翻身、如厕、穿衣", hint_en="Feeding, turning, toilet, dressing",
    ),
    _service(
        "rehab", "rehab", "基础康复", "Basic rehabilitation", "person-arms-up", (30, 60), ["carer"], mixes=[CARERS],
        qualifications=["rehab_therapist"], risk="raised", adults_only=True,
        hint_zh="关节活动、步行训练", hint_en="Moving joints, practising to walk",
    ),
    _service(
        "errand", "home", "家政代办", "Errands and home help", "bag-check", (30, 60),
        ["volunteer", "carer", "social_worker"], mixes=[CARERS, CARER_AND_VOLUNTEER, VOLUNTEERS],
        hint_zh="代购、缴费、小修", hint_en="Shopping, paying bills, small repairs",
    ),
    _service(
        "counsel", "psychological", "心理干预", "Psychological support", "chat-square-heart", (45, 60),
        ["social_worker"], mixes=[["social_worker", "social_worker"]], qualifications=["counsellor"], risk="raised",
        adults_only=True,
        hint_zh="情绪疏导、危机干预，须持证", hint_en="Relief and crisis support, by the qualified only",
    ),
    _service(
        "nursing", "nursing", "日常护理", "Daily nursing", "bandaid", (30, 45), ["carer"], mixes=[CARERS],
        qualifications=["nurse"], risk="raised", adults_only=True,
        hint_zh="测血压血糖、换药、管路护理", hint_en="Blood pressure and sugar, dressings, tubes",
    ),
    _service(
        "mediation", "neighbourhood", "邻里沟通", "Talks with neighbours", "people", (30, 60),
        ["social_worker", "volunteer"], mixes=[SOCIAL_AND_VOLUNTEER, ["social_worker", "social_worker"]],
        volunteer_qualifications=["mediator"], adults_only=True,
        hint_zh="邻里纠纷的沟通与调解", hint_en="Talking things over between neighbours",
    ),
    _service(
        "petition", "petition", "信访代办", "Petition help", "envelope-paper", (30, 60), ["social_worker"],
        mixes=[["social_worker", "social_worker"]], qualifications=["social_worker_cert"], adults_only=True,
        hint_zh="代写、代交、代跟进", hint_en="Writing, handing in and following up for someone",
    ),
    _service(
        "micro", "micro", "微需求", "Micro-need", "lightning-charge", (10, 30), ["volunteer", "social_worker", "carer"],
        unit="visits", mixes=[VOLUNTEERS, CARER_AND_VOLUNTEER, SOCIAL_AND_VOLUNTEER],
        hint_zh="一小时以内的小事：换灯泡、教手机", hint_en="Small things within an hour: a light bulb, a telephone",
    ),
]  # fmt: skip
