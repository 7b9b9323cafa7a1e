"""The tables of stations, services, experts on duty and consultations."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from rooms.consultations.states import ConsultationEnd, ConsultationState, ServiceKind

NAME_LENGTH = 100


class Station(Base):
    """A screen in a service centre. A new key makes a new `generation`, and devices paired before are out.

    Generation 0: no key was made yet, and `key_hash` is that of one nobody was told.
    """

    __tablename__ = "stations"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"), index=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the device key
    generation: Mapped[int]
    created_at: Mapped[datetime]


class Service(Base):
    """What residents can ask for."""

    __tablename__ = "services"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"), index=True)
    kind: Mapped[ServiceKind]
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    place: Mapped[int]  # in lists
    created_at: Mapped[datetime]


class StationService(Base):
    """A station offers a service."""

    __tablename__ = "station_services"

    station_id: Mapped[Id] = mapped_column(ForeignKey("stations.id", ondelete="CASCADE"), primary_key=True)
    service_id: Mapped[Id] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"), primary_key=True)


class ServiceExpert(Base):
    """An expert may serve a service; `on_duty_since` is set while he does."""

    __tablename__ = "service_experts"

    service_id: Mapped[Id] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[Id] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    on_duty_since: Mapped[datetime | None]


class Consultation(Base):
    """A ticket and the talk that it becomes.

    `returned`: an expert called it and was lost, so it stands before all that were never called. A partial unique
    index keeps two talks of one expert at once out.
    """

    __tablename__ = "consultations"
    __table_args__ = (
        UniqueConstraint("service_id", "day", "number"),
        Index(
            "ix_consultations_service_id_state_returned_created_at",
            "service_id",
            "state",
            "returned",
            "created_at",
        ),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    service_id: Mapped[Id] = mapped_column(ForeignKey("services.id"))
    station_id: Mapped[Id | None] = mapped_column(ForeignKey("stations.id"), index=True)
    resident_account_id: Mapped[Id | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    display_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    day: Mapped[date] = mapped_column(Date)  # in the service's own zone
    number: Mapped[int]
    state: Mapped[ConsultationState] = mapped_column(index=True)
    returned: Mapped[bool]
    expert_account_id: Mapped[Id | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    expert_member_id: Mapped[Id | None] = mapped_column(ForeignKey("members.id"))
    expert_name: Mapped[str | None] = mapped_column(String(NAME_LENGTH))
    created_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]  # the resident came
    met_at: Mapped[datetime | None]  # both were in the room for the first time
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[ConsultationEnd | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    rating: Mapped[int | None]
    rating_comment: Mapped[str | None] = mapped_column(String(500))
    rated_at: Mapped[datetime | None]
