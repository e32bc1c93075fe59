"""The columns of a roster, with the headings and words that people use for them in Chinese and English."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.imports import recurrences, values
from linkage.imports.kinds import Column, Scene
from linkage.people.identity import mask_id_number, mask_telephone

RELATIONS = {
    "本人": "self", "户主": "self", "self": "self", "head": "self",
    "配偶": "spouse", "妻": "spouse", "夫": "spouse", "妻子": "spouse", "丈夫": "spouse", "spouse": "spouse",
    "子女": "child", "儿子": "child", "女儿": "child", "子": "child", "女": "child", "child": "child",
    "父母": "parent", "父亲": "parent", "母亲": "parent", "父": "parent", "母": "parent", "parent": "parent",
    "孙辈": "grandchild", "孙子": "grandchild", "孙女": "grandchild", "外孙": "grandchild", "外孙女": "grandchild",
    "grandchild": "grandchild", "其他": "other", "亲属": "other", "other": "other",
    "家属": "contact", "联系人": "contact", "不同住家人": "contact", "contact": "contact",
}  # fmt: skip
SEXES = {"男": "M", "女": "F", "男性": "M", "女性": "F", "m": "M", "f": "F", "male": "M", "female": "F"}
LANGUAGES = {
    "普通话": "mandarin", "闽南话": "minnan", "闽南语": "minnan", "客家话": "hakka", "粤语": "cantonese",
    "英语": "english", "手语": "sign", "mandarin": "mandarin", "minnan": "minnan", "hakka": "hakka",
    "cantonese": "cantonese", "english": "english", "sign language": "sign",
}  # fmt: skip
CARE_LEVELS = {
    "能力完好": "", "完好": "", "无": "", "intact": "",
    "轻度": "mild", "轻度失能": "mild", "mild": "mild", "中度": "moderate", "中度失能": "moderate",
    "moderate": "moderate", "重度": "severe", "重度失能": "severe", "severe": "severe",
    "完全失能": "total", "完全": "total", "total": "total",
}  # fmt: skip
TAGS = {
    "特困": "destitute", "特困人员": "destitute", "低保": "minimum_living", "低保边缘": "minimum_margin",
    "低边": "minimum_margin", "刚性支出困难": "rigid_expense", "重度残疾": "severe_disability",
    "重残": "severe_disability",
    "高龄": "aged_80", "80岁以上": "aged_80", "独居": "living_alone", "空巢": "living_alone", "失能": "disabled_elder",
    "半失能": "semi_disabled_elder", "孤儿": "orphan", "事实无人抚养": "orphan", "困境儿童": "child_in_need",
    "失独": "lost_only_child", "流浪寻亲": "homeless", "destitute": "destitute", "minimum living": "minimum_living",
    "low-income margin": "minimum_margin", "severe disability": "severe_disability", "aged 80+": "aged_80",
    "living alone": "living_alone", "disabled": "disabled_elder", "semi-disabled": "semi_disabled_elder",
}  # fmt: skip
PURPOSES = {
    "服务": "service", "提供服务": "service", "健康": "health", "健康信息": "health", "志愿者": "volunteers",
    "告知志愿者": "volunteers", "service": "service", "health": "health", "volunteers": "volunteers",
}  # fmt: skip


def _services(scene: Scene) -> dict[str, Any]:
    return scene.looked_up.services


def _communities(scene: Scene) -> dict[str, Any]:
    return scene.looked_up.communities


TIMES = _l("From and to: the whole visit lies between them, 08:30-11:30")
COLUMNS = (
    Column("number", _l("Household number"), ("户号", "家庭编号", "户编号", "number"), "household",
           values.number_text(30), hint=_l("The same for everybody of one household"), examples=("007", "007", "008"),
           width=9),
    Column("community", _l("Community"), ("社区", "所属社区", "村居", "社区名称"), "household", options=_communities,
           hint=_l("Only where the file covers several communities"), width=14),
    Column("name", _l("Name"), ("姓名", "成员姓名", "名字", "家庭成员"), "person", values.person_name, required=True,
           examples=("郑桂花", "黄水源", "许天来"), width=11),
    Column("relation", _l("Relation"), ("关系", "与户主关系", "家庭关系"), "person", options=lambda _scene: RELATIONS,
           hint=_l("Head, spouse, child …; “contact” for family who live elsewhere"),
           examples=("本人", "配偶", "本人")),
    Column("id_number", _l("ID number"), ("身份证号", "身份证", "身份证号码", "公民身份号码", "证件号码", "idno"),
           "person", values.id_number, hint=_l("18 characters, as text"), private=mask_id_number, width=23,
           examples=("350203195303084065", "350203195006181352", "35020319460315135X")),
    Column("sex", _l("Sex"), ("性别",), "person", options=lambda _scene: SEXES, width=7,
           hint=_l("May be left empty where the ID number is given")),
    Column("birth_date", _l("Birth date"), ("出生日期", "生日", "出生年月日", "出生年月", "出生"), "person", values.day,
           hint=_l("May be left empty where the ID number is given"), width=13),
    Column("telephone", _l("Telephone"), ("联系电话", "电话", "手机", "手机号", "手机号码", "联系方式", "phone"),
           "person", values.telephone, private=mask_telephone, examples=("13850012217", "13900120431", ""), width=15),
    Column("languages", _l("Speaks"), ("语言", "方言", "languages"), "person", options=lambda _scene: LANGUAGES,
           several=True, examples=("闽南话、普通话",), width=16),
    Column("address", _l("Address"), ("住址", "地址", "常住地址", "服务地址", "家庭住址", "居住地址", "现住址"),
           "household", values.text(120), examples=("香莲里31号204室", "香莲里31号204室", "凌香里3号601室"), width=26),
    Column("door_note", _l("Door note"), ("进门提示", "上门提示", "敲门提示"), "household", values.text(300), width=22),
    Column("care_level", _l("Care level"), ("失能等级", "护理等级", "能力等级", "评估等级"), "household",
           options=lambda _scene: CARE_LEVELS, examples=("", "", "重度"), width=11),
    Column("tags", _l("Tags"), ("困难类别", "困难类型", "标签", "人员类别", "类别"), "household",
           options=lambda _scene: TAGS, several=True, examples=("高龄、低保", "", "独居"), width=18,
           hint=_l("In the head's row: of the household; in another row: of that person")),
    Column("tags_until", _l("Tags until"), ("类别有效期", "类别到期", "标签到期", "有效期至"), "household", values.day,
           examples=("2027-06-30", "", ""), width=13),
    Column("tag_source", _l("Where the tags come from"), ("类别来源", "标签来处", "认定单位"), "household",
           values.text(60), examples=("区民政局", "", ""), width=14),
    Column("health", _l("Health"), ("健康情况", "健康状况", "疾病"), "household", values.text(1000), width=20),
    Column("hazard", _l("What to mind in the home"), ("注意事项", "家中注意事项", "安全提示"), "household",
           values.text(300), width=20),
    Column("consent_on", _l("Consent given on"), ("同意书日期", "签署日期", "同意日期", "授权日期"), "household",
           values.day, hint=_l("Needs can be taken in only with consent"), width=15,
           examples=("2026-11-02", "", "2026-11-03")),
    Column("consent_for", _l("Consent to"), ("同意用途", "授权范围", "同意范围"), "household",
           options=lambda _scene: PURPOSES, several=True, examples=("服务、健康、志愿者", "", "服务"), width=20,
           hint=_l("Service, health, volunteers; empty: service")),
    Column("service", _l("Service wanted"), ("需求", "服务", "服务项目", "需求项目", "需求类型", "service", "need"),
           "need", options=_services, hint=_l("A row for each need; empty: no need"),
           examples=("助餐", "", "助浴"), width=12),
    Column("starts_on", _l("First day"), ("开始日期", "服务开始", "首次日期", "起始日期", "日期"), "need", values.day,
           examples=("2026-12-01", "", "2026-12-03"), width=13),
    Column("recurrence", _l("Repeats"), ("重复", "how often", "频率", "服务频率", "频次"), "need",
           recurrences.recurrence,
           hint=_l("Once, every day, every week on Tue and Thu; empty: once"), width=14,
           examples=("每周二、四", "", "每周四")),
    Column("ends_on", _l("Last day"), ("结束日期", "服务结束", "终止日期", "截止日期"), "need", values.day, width=13),
    Column("window", _l("Span of hours"), ("时间段", "hours", "上门时间", "可上门时间", "时段", "服务时间"),
           "need", values.time_span,
           hint=TIMES, examples=("11:00-12:30", "", "09:00-11:30"), width=14),
    Column("window_start", _l("Not before"), ("最早", "最早时间", "开始时间"), "need", values.clock_time, hint=TIMES),
    Column("window_end", _l("Not after"), ("最晚", "最晚时间", "结束时间"), "need", values.clock_time, hint=TIMES),
    Column("duration", _l("Length in minutes"), ("时长", "minutes", "服务时长", "每次分钟", "分钟", "时长分钟"), "need",
           values.whole(1, 720),
           hint=_l("Empty: as usual for the service"), examples=("30", "", "60"), width=9),
    Column("people", _l("People"), ("人数", "需要人数", "上门人数"), "need", values.whole(1, 2),
           hint=_l("One or two people who come; empty: as the service needs"), width=8),
    Column("preferred", _l("Wished start"), ("希望时间", "希望开始", "期望时间"), "need", values.clock_time, width=12),
    Column("gender", _l("Wished sex of the helper"), ("性别要求", "护理员性别"), "need", options=lambda _scene: SEXES,
           width=12),
    Column("note", _l("Note"), ("备注", "需求备注", "说明"), "need", values.text(500), width=24),
)  # fmt: skip
