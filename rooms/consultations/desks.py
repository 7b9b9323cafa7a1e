"""The expert's side of consultations."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from errors import Kind, Problem
from members.policy import Actor, RoleName
from rooms.consultations import moves, repository
from rooms.consultations.life import check_way
from rooms.consultations.models import ServiceExpert
from rooms.consultations.office import Office
from rooms.consultations.parties import Side
from rooms.consultations.states import ConsultationEnd, ConsultationState
from rooms.consultations.views import ConsultationView, DutyView, QueueTicket
from rooms.texts import clean_text

OUTCOME_LENGTH: Final = 4000


class Desks(Office):
    """What experts do, from going on duty to the outcome."""

    async def duty(self, expert: Actor) -> DutyView:
        """Whether one is on duty, and for what."""
        async with self._database.reading() as session:
            posts = await repository.posts_of(session, expert.account_id)
        on = [post.service_id for post in posts if post.on_duty_since is not None]
        return DutyView(bool(on), on, [post.service_id for post in posts])

    async def set_duty(self, expert: Actor, *, on_duty: bool, service_ids: tuple[str, ...]) -> DutyView:
        """Go on duty for these services (none named: all one may serve), or off; Problem service_not_yours."""
        async with self._work() as work:
            posts = await self._posts(work.session, expert)
            chosen = {post.service_id for post in posts} if not service_ids else set(service_ids)
            if not chosen <= {post.service_id for post in posts}:
                raise Problem(Kind.FORBIDDEN, "service_not_yours", {"field": "serviceIds"})
            now, changed = self._clock(), []
            for post in posts:
                wanted = on_duty and post.service_id in chosen
                if wanted is not (post.on_duty_since is not None):
                    post.on_duty_since = now if wanted else None
                    changed.append(post.service_id)
            work.queues(changed)
            on = [post.service_id for post in posts if post.on_duty_since is not None]
            return DutyView(bool(on), on, [post.service_id for post in posts])

    def desk_opened(self, expert: Actor) -> None:
        """An expert's connection is there: signaling says so for every /stations connection of an expert."""
        self._watch.desk_opened(expert.account_id)

    def desk_lost(self, expert: Actor) -> None:
        """The expert's last connection is gone: after the grace of the settings he is off duty."""
        self._watch.desk_lost(expert.account_id, self._clock())

    async def queue(self, expert: Actor) -> list[QueueTicket]:
        """The waiting tickets of the services one may serve, in the order in which they will be called."""
        async with self._database.reading() as session:
            posts = await self._posts(session, expert, lock=False)
            ids = [post.service_id for post in posts]
            found = await repository.in_state(session, [ConsultationState.WAITING], ids)
        return [
            QueueTicket(each.id, each.number, each.service_id, each.display_name, each.created_at)
            for each in found
        ]

    async def in_hand(self, expert: Actor) -> ConsultationView | None:
        """What the expert has called or is giving, with the room token; else what is over and not written up."""
        async with self._database.reading() as session:
            consultation = await repository.in_hand(session, expert.account_id) or await repository.unwritten(
                session, expert.account_id
            )
            return await self._view(session, consultation, expert) if consultation is not None else None

    async def call_next(self, expert: Actor, service_id: str | None) -> ConsultationView | None:
        """Call the first of the queue (of one service, or of all one is on duty for); None when nobody waits.

        Problems: forbidden, not_on_duty, expert_busy {consultationId}.
        """
        async with self._work() as work:
            posts = await self._posts(work.session, expert)
            on = [post.service_id for post in posts if post.on_duty_since is not None]
            chosen = [each for each in on if service_id in {None, each}]
            if not chosen:
                raise Problem(Kind.CONFLICT, "not_on_duty")
            busy = await repository.in_hand(work.session, expert.account_id)
            if busy is not None:
                raise Problem(Kind.CONFLICT, "expert_busy", {"consultationId": busy.id})
            consultation = await repository.next_waiting(work.session, chosen)
            if consultation is None:
                return None
            moves.call(consultation, expert, self._clock())
            await work.session.flush()
            work.changed(consultation, called=True)
            return await self._view(work.session, consultation, expert)

    async def call_again(self, expert: Actor, consultation_id: str) -> ConsultationView:
        """Call the same once more; the time to come begins anew."""
        async with self._work() as work:
            consultation = await self._own(work.session, expert, consultation_id, Side.EXPERT)
            check_way(consultation.state, ConsultationState.ACTIVE)
            consultation.called_at = self._clock()
            work.changed(consultation, called=True, queue=False)
            return await self._view(work.session, consultation, expert)

    async def missed(self, expert: Actor, consultation_id: str) -> ConsultationView:
        """The called resident did not come."""
        async with self._work() as work:
            consultation = await self._own(work.session, expert, consultation_id, Side.EXPERT)
            moves.miss(consultation, self._clock())
            work.changed(consultation)
            return await self._view(work.session, consultation, expert)

    async def finish(self, expert: Actor, consultation_id: str, outcome: str) -> ConsultationView:
        """End the talk with a note; after an end without a note, add the note. Problem outcome_written."""
        note = clean_text(outcome, OUTCOME_LENGTH, "invalid_outcome") if outcome.strip() else None
        async with self._work() as work:
            consultation = await self._own(work.session, expert, consultation_id, Side.EXPERT)
            if consultation.state is ConsultationState.ENDED:
                if consultation.outcome is not None:
                    raise Problem(Kind.CONFLICT, "outcome_written")
            else:
                found = await self._locked(work.session, consultation_id)
                await moves.end(work.session, found, self._cards, self._clock(), ConsultationEnd.FINISHED)
            consultation.outcome = note
            work.changed(consultation)
            return await self._view(work.session, consultation, expert)

    async def _posts(
        self, session: AsyncSession, expert: Actor, *, lock: bool = True
    ) -> Sequence[ServiceExpert]:
        """What the expert may serve, locked; Problem forbidden for who is none."""
        posts = await repository.posts_of(session, expert.account_id, lock=lock)
        if not posts or not expert.has(RoleName.EXPERT):
            raise Problem(Kind.FORBIDDEN, "forbidden")
        return posts
