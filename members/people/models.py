"""The table of members."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database import Base, Id
from members.organizations.models import Organization


class Standing(StrEnum):
    """Whether a member votes."""

    FULL = "full"  # 正式党员
    PROBATIONARY = "probationary"  # 预备党员: attends and speaks, does not vote


class Post(StrEnum):
    """A seat on the branch committee (支委会)."""

    SECRETARY = "secretary"  # 书记
    DEPUTY_SECRETARY = "deputy_secretary"  # 副书记
    ORGANIZATION = "organization"  # 组织委员
    PUBLICITY = "publicity"  # 宣传委员
    DISCIPLINE = "discipline"  # 纪检委员


class Member(Base):
    """A person on the register of one home branch, with or without a log-in."""

    __tablename__ = "members"
    __table_args__ = (Index("ix_members_organization_id_name_id", "organization_id", "name", "id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"))  # 党籍所在支部
    group_id: Mapped[Id | None] = mapped_column(ForeignKey("organizations.id"), index=True)  # 党小组
    guest_organization_id: Mapped[Id | None] = mapped_column(
        ForeignKey("organizations.id"), index=True
    )  # 流动地支部
    name: Mapped[str] = mapped_column(String(80))
    code: Mapped[str | None] = mapped_column(String(60), unique=True)  # the register's number, for imports
    standing: Mapped[Standing]
    post: Mapped[Post | None]
    flowing_place: Mapped[str | None] = mapped_column(String(120))  # set together with the zone
    flowing_timezone: Mapped[str | None] = mapped_column(String(60))  # IANA name
    created_at: Mapped[datetime]

    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id], lazy="raise")
    guest_organization: Mapped[Organization | None] = relationship(
        foreign_keys=[guest_organization_id], lazy="raise"
    )
