"""Made-up people and numbers from a seed: names, ID numbers and credit codes with right check digits, telephones.

The numbers are valid in form only. Telephones come from one block of a thousand (1390000xxxx) that shows at a glance
that it is made up; ID numbers carry the county code of 思明区 (350203).
"""

from __future__ import annotations

import random
from datetime import date, timedelta

from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from linkage.people.operations import PersonDraft

COUNTY = "350203"
SURNAMES = "陈林黄张吴李王郑蔡许洪苏叶庄曾郭杨刘谢何邱施柯卢连沈颜纪吕高"
OLD_NAMES = {
    "F": "秀英 美珠 丽华 宝珍 玉兰 阿珠 金枝 素月 秋菊 淑贞 碧霞 玉梅 惠珍 月娥 锦绣 雪云 桂香 瑞珠 春花 明珠",
    "M": "金土 水源 文斌 清水 天赐 添福 永福 国栋 建成 德发 振声 福全 木火 松柏 荣华 庆祥 海生 万金 志成 火旺",
}
YOUNG_NAMES = {
    "F": "丽珍 美玲 雅婷 晓燕 淑芬 慧敏 婷婷 佳颖 思琪 雪梅 静怡 巧玲 秋萍 艺红 小云 琳琳 欣怡 海霞 燕红 丹丹",
    "M": "建明 志强 伟杰 俊杰 文辉 国平 家豪 志远 宏伟 少华 永强 明辉 振宇 育才 子轩 剑锋 海滨 锦华 培源 晓东",
}
CHILD_NAMES = {"F": "思雨 梓萱 可馨 语桐", "M": "浩宇 子墨 俊熙 宇航"}
OLD_SINCE = date(1965, 1, 1)
CODE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714, the organisation's own part of a credit code


class Inventor:
    """Draws people who differ from each other in name, ID number and telephone."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self._names: set[str] = set()
        self._telephones = 0
        self._serials: dict[str, int] = {}

    def person(
        self,
        sex: str,
        born: date,
        *,
        surname: str = "",
        name: str = "",
        telephone: bool = True,
        languages: tuple[str, ...] = ("mandarin", "minnan"),
    ) -> PersonDraft:
        """Somebody of this sex and birth date; `name` if it was chosen, else one that nobody else has."""
        return PersonDraft(
            name=name or self._name(sex, born, surname),
            birth_date=born,
            sex=sex,
            telephone=self.telephone() if telephone else None,
            id_number=self.id_number(born, sex),
            languages=languages,
        )

    def born(self, youngest: int, oldest: int, on: date) -> date:
        """A birthday of somebody who is youngest..oldest years old on `on`."""
        latest, earliest = _years_before(on, youngest), _years_before(on, oldest + 1) + timedelta(days=1)
        return earliest + timedelta(days=self.random.randrange((latest - earliest).days))

    def telephone(self) -> str:
        self._telephones += 1
        return f"1390000{self._telephones:04d}"

    def id_number(self, born: date, sex: str) -> str:
        """GB 11643: county, birth date, serial number (odd: M, even: F), check digit by ISO 7064 MOD 11-2."""
        day = f"{born:%Y%m%d}{sex}"
        self._serials[day] = self._serials.get(day, 0) + 1
        serial = 10 * self.random.randrange(1, 40) + 2 * self._serials[day] + (sex == "M")
        body = f"{COUNTY}{born:%Y%m%d}{serial:03d}"
        return body + mod_11_2.calc_check_digit(body)

    def credit_code(self, number: int) -> str:
        """GB 32100: 52 (a private non-enterprise unit), county, the organisation's code, check character."""
        body = f"MJ9{number:05d}"
        total = sum(weight * int(sign, 36) for weight, sign in zip(CODE_WEIGHTS, body, strict=True))
        check = {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))
        code = f"52{COUNTY}{body}{check}"
        return code + uscc.calc_check_digit(code)

    def _name(self, sex: str, born: date, surname: str) -> str:
        pool = OLD_NAMES if born < OLD_SINCE else YOUNG_NAMES if born.year < 2005 else CHILD_NAMES
        while True:
            name = (surname or self.random.choice(SURNAMES)) + self.random.choice(pool[sex].split())
            if name not in self._names:
                self._names.add(name)
                return name


def _years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years, day=min(day.day, 28))
