"""The tables of accounts, their roles and their log-in sessions."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database import Base, Id
from members.organizations.models import Organization
from members.people.models import Member
from members.policy import RoleName


class Account(Base):
    """A log-in; of a member, or of somebody who is none (a resident, an expert, an officer)."""

    __tablename__ = "accounts"

    id: Mapped[Id] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True)  # as `normalize_username` makes it
    password_hash: Mapped[str] = mapped_column(String(200))  # argon2id, PHC text
    name: Mapped[str] = mapped_column(String(80))
    locale: Mapped[str] = mapped_column(String(20))
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("members.id"), unique=True)
    created_at: Mapped[datetime]
    password_changed_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    notices_seen_until: Mapped[datetime | None]  # `at` of the newest notice that was looked at, on any device

    member: Mapped[Member | None] = relationship(lazy="raise")
    roles: Mapped[list["AccountRole"]] = relationship(lazy="raise", order_by="AccountRole.id")


class AccountRole(Base):
    """A role that an account holds at an organization."""

    __tablename__ = "account_roles"
    __table_args__ = (UniqueConstraint("account_id", "role", "organization_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    role: Mapped[RoleName]
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"), index=True)

    organization: Mapped[Organization] = relationship(lazy="raise")


class LoginSession(Base):
    """A browser that is signed in; only the SHA-256 of its token is known here."""

    __tablename__ = "login_sessions"

    id: Mapped[Id] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
