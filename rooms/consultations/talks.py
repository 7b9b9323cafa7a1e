"""The talk itself: who may enter its room, who sits in it, and what time alone does to it."""

from datetime import datetime, timedelta

from errors import Kind, Problem
from members.policy import Actor
from rooms.consultations import moves, repository
from rooms.consultations.lapses import Lapse, lapse_of
from rooms.consultations.life import check_way
from rooms.consultations.models import Consultation
from rooms.consultations.office import Office
from rooms.consultations.parties import Admission, Side, person_of
from rooms.consultations.states import TALKING, ConsultationEnd, ConsultationState
from rooms.live.commands import EndReason
from rooms.passes import NamedGuest


class Talks(Office):
    """What LiveRooms and the clock do."""

    async def recover(self) -> None:
        """Take every expert and every talk as just left, so that those who do not come back lapse."""
        now = self._clock()
        async with self._database.reading() as session:
            for post in await repository.on_duty(session):
                self._watch.desk_lost(post.account_id, now)
            for consultation in await repository.in_state(session, TALKING):
                self._watch.begin(consultation.id, now)

    async def admit(self, visitor: Actor | NamedGuest, consultation_id: str) -> Admission:
        """Who may enter the room now; a resident's coming answers the call.

        Problems: meeting_not_found (ids share one space), consultation_not_found, consultation_not_called,
        consultation_over.
        """
        async with self._work() as work:
            found = await repository.find(work.session, consultation_id, lock=True)
            if found is None:
                raise Problem(Kind.NOT_FOUND, "meeting_not_found")
            consultation, _, organization = found
            side, person = person_of(visitor, consultation, organization)
            if consultation.state not in TALKING:
                check_way(consultation.state, ConsultationState.ACTIVE)
            if side is Side.RESIDENT:
                self._answer(work, consultation)
            self._watch.begin(consultation.id, self._clock())  # before anybody sits in the room
            view = await self._view(work.session, consultation)
            return Admission(person, organization.id, view)

    def in_room(self, consultation_id: str, *, expert: bool, resident: bool) -> None:
        """Who sits in the room now."""
        self._watch.seats(consultation_id, self._clock(), expert=expert, resident=resident)

    async def ended_in_room(self, consultation_id: str, reason: EndReason) -> None:
        """The room was ended: by the expert in it, or by its own limits."""
        if reason is EndReason.CLOSED:
            return  # by us
        async with self._work() as work:
            found = await self._locked(work.session, consultation_id)
            consultation = found[0]
            if consultation.state is ConsultationState.CALLED:
                moves.miss(consultation, self._clock())
            elif consultation.state is ConsultationState.ACTIVE:
                by_expert = reason is EndReason.HOST
                why = ConsultationEnd.FINISHED if by_expert else ConsultationEnd.OVERDUE
                await moves.end(work.session, found, self._cards, self._clock(), why)
            else:
                return
            work.changed(consultation)

    async def advance(self) -> None:
        """Let the clock do its work once: experts without a desk go off duty, talks lapse."""
        now = self._clock()
        lost = self._watch.desks_lost_for(timedelta(seconds=self._settings.desk_grace), now)
        if lost:
            async with self._work() as work:
                work.queues(await repository.go_off_duty(work.session, lost))
            self._watch.dismissed(lost)
        async with self._database.reading() as session:
            talks = await repository.in_state(session, TALKING)
        self._watch.read([talk.id for talk in talks], now)
        due = [talk for talk in talks if self._just_met(talk) or self._lapse(talk, now) is not None]
        for talk in due:
            await self._apply(talk.id, now)

    async def _apply(self, consultation_id: str, now: datetime) -> None:
        """Look again under lock, and write down what has become of the talk."""
        async with self._work() as work:
            found = await self._locked(work.session, consultation_id)
            consultation = found[0]
            if consultation.state not in TALKING:
                return
            if self._just_met(consultation):
                consultation.met_at = now
            match self._lapse(consultation, now):
                case None:
                    return
                case Lapse.MISSED:
                    moves.miss(consultation, now)
                case Lapse.EXPERT_LOST:
                    moves.give_back(consultation)
                case Lapse.EXPERT_GONE:
                    await moves.end(work.session, found, self._cards, now, ConsultationEnd.FINISHED)
                case Lapse.RESIDENT_GONE:
                    await moves.end(work.session, found, self._cards, now, ConsultationEnd.RESIDENT_GONE)
                case Lapse.OVERDUE:
                    await moves.end(work.session, found, self._cards, now, ConsultationEnd.OVERDUE)
            work.changed(consultation)

    def _just_met(self, consultation: Consultation) -> bool:
        active = consultation.state is ConsultationState.ACTIVE
        return active and consultation.met_at is None and self._watch.met(consultation.id)

    def _lapse(self, consultation: Consultation, now: datetime) -> Lapse | None:
        chairs = self._watch.chairs(consultation.id)
        if chairs is None:
            return None
        return lapse_of(
            consultation.state,
            consultation.called_at or consultation.created_at,
            consultation.started_at,
            chairs,
            self._watch.desk_lost_since(consultation.expert_account_id or ""),
            self._settings,
            now,
            met=consultation.met_at is not None,
        )
