"""The steps of a consultation's life: each checks the way, then changes the record, inside the caller's transaction."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from members.cards import Cards, NewEntry
from members.cards.models import CardEntryKind
from members.organizations import Organization
from members.policy import Actor
from rooms.consultations.life import check_way
from rooms.consultations.models import Consultation, Service
from rooms.consultations.states import ConsultationEnd, ConsultationState

CARD_SOURCE = "consultation"


def call(consultation: Consultation, expert: Actor, now: datetime) -> None:
    """Waiting -> called: the expert has it in hand."""
    _move(consultation, ConsultationState.CALLED)
    consultation.called_at = now
    consultation.expert_account_id = expert.account_id
    consultation.expert_member_id = expert.member_id
    consultation.expert_name = expert.name


def answer(consultation: Consultation, now: datetime) -> None:
    """Called -> active: the resident came."""
    _move(consultation, ConsultationState.ACTIVE)
    consultation.started_at = now


def give_back(consultation: Consultation) -> None:
    """Called or active -> waiting, before all that were never called: the expert is lost, the resident is not."""
    _move(consultation, ConsultationState.WAITING)
    consultation.returned = True
    consultation.called_at = consultation.started_at = consultation.met_at = None
    consultation.expert_account_id = consultation.expert_member_id = consultation.expert_name = None


def miss(consultation: Consultation, now: datetime) -> None:
    """called, or answered without meeting -> missed."""
    _move(consultation, ConsultationState.MISSED)
    consultation.ended_at = now


def cancel(consultation: Consultation, now: datetime) -> None:
    """Waiting or called -> cancelled, by the resident."""
    _move(consultation, ConsultationState.CANCELLED)
    consultation.ended_at = now


async def end(
    session: AsyncSession,
    found: tuple[Consultation, Service, Organization],
    cards: Cards,
    now: datetime,
    reason: ConsultationEnd,
) -> None:
    """Active -> ended, with the entry on the card of an expert who is a member."""
    consultation, service, organization = found
    _move(consultation, ConsultationState.ENDED)
    consultation.ended_at = now
    consultation.end_reason = reason
    if consultation.expert_member_id is None:
        return
    begun = consultation.met_at or consultation.started_at or now
    entry = NewEntry(
        member_id=consultation.expert_member_id,
        kind=CardEntryKind.CONSULTATION_GIVEN,
        occurred_at=begun,
        duration_seconds=round((now - begun).total_seconds()),
        organization_id=organization.id,
        organization_name=organization.name,
        title=service.name,
        source=CARD_SOURCE,
        reference=consultation.id,
        details={"service": service.kind.value},
    )
    await session.flush()
    await cards.append(session, entry)


def _move(consultation: Consultation, wanted: ConsultationState) -> None:
    check_way(consultation.state, wanted)
    consultation.state = wanted
