"""The service catalogue (服务目录), qualifications, and who holds them."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from linkage.core.columns import Created, Dated, UuidKey, Versioned, ref
from linkage.core.extensions import Model

PROVIDER_KINDS = ("carer", "social_worker", "volunteer")
UNITS = ("minutes", "visits", "meals")
GROUPS = ("elderly", "rehab", "home", "psychological", "nursing", "neighbourhood", "petition", "micro")


class Qualification(Model):
    """A certificate that services may require (护理员证, 心理咨询师 …). `kind`: of a person."""

    __tablename__ = "qualifications"
    code: Mapped[str] = mapped_column(String(30), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(60))
    name_en: Mapped[str] = mapped_column(String(60))


class Service(UuidKey, Versioned, Dated, Model):
    """One kind of help.

    `provider_kinds`: who may provide it alone. `mixes`: allowed pairs when two people go, for example
    [["carer", "carer"], ["carer", "volunteer"]]. `qualifications`: codes that a *carer or social worker* must
    hold; `volunteer_qualifications`: that a volunteer must hold. `two_people`: "never", "always" or "severe"
    (severely or totally disabled recipients). `charge_each_person`: a two-person visit is charged twice.
    """

    __tablename__ = "services"
    code: Mapped[str] = mapped_column(String(30), unique=True)
    group: Mapped[str] = mapped_column(String(20))
    name_zh: Mapped[str] = mapped_column(String(40))
    name_en: Mapped[str] = mapped_column(String(60))
    hint_zh: Mapped[str] = mapped_column(String(200), default="")
    hint_en: Mapped[str] = mapped_column(String(200), default="")
    icon: Mapped[str] = mapped_column(String(40))
    position: Mapped[int] = mapped_column(default=0)
    unit: Mapped[str] = mapped_column(String(10), default="minutes")
    min_minutes: Mapped[int]
    default_minutes: Mapped[int]
    provider_kinds: Mapped[list[str]]
    mixes: Mapped[list[Any]]
    qualifications: Mapped[list[str]]
    volunteer_qualifications: Mapped[list[str]]
    risk: Mapped[str] = mapped_column(String(10), default="low")  # low | raised: insurance before it
    two_people: Mapped[str] = mapped_column(String(10), default="never")
    charge_each_person: Mapped[bool] = mapped_column(default=True)
    position_at_check_in: Mapped[bool] = mapped_column(default=False)
    adults_only: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (CheckConstraint("min_minutes > 0 AND default_minutes >= min_minutes", name="minutes"),)


class HeldQualification(UuidKey, Created, Dated, Model):
    """A qualification that a person holds, with its number and expiry (资质)."""

    __tablename__ = "held_qualifications"
    person_id: Mapped[uuid.UUID] = ref("people.id")
    code: Mapped[str] = mapped_column(String(30), index=True)
    number: Mapped[str] = mapped_column(String(60), default="")
