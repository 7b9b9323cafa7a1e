"""The table of organizations."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id

CODE_LENGTH = 60
PATH_LENGTH = 330
"""Ten levels of "/id"."""


class OrganizationKind(StrEnum):
    """Where an organization stands in the tree."""

    DEPARTMENT = "department"  # 区委组织部
    COMMITTEE = "committee"  # 党委
    GENERAL_BRANCH = "general_branch"  # 党总支
    BRANCH = "branch"  # 党支部
    GROUP = "group"  # 党小组


PathText = String(PATH_LENGTH).with_variant(String(PATH_LENGTH, collation="C"), "postgresql")
"""Compared byte by byte on both databases, so that a subtree is one range of the index."""


class Organization(Base):
    """A node of the tree; `path` is "/id/id/" from the root down to and with its own id."""

    __tablename__ = "organizations"

    id: Mapped[Id] = mapped_column(primary_key=True)
    parent_id: Mapped[Id | None] = mapped_column(ForeignKey("organizations.id"), index=True)
    kind: Mapped[OrganizationKind]
    name: Mapped[str] = mapped_column(String(120))
    code: Mapped[str | None] = mapped_column(
        String(60), unique=True
    )  # the registers' own number, for imports
    timezone: Mapped[str] = mapped_column(String(60))  # IANA name
    path: Mapped[str] = mapped_column(PathText, unique=True)
    created_at: Mapped[datetime]
