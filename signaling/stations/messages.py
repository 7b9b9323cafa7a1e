"""What clients send in `/stations`."""

from typing import Annotated

from pydantic import Field

from signaling.messages import Id, Message, Note


class ConsultationReference(Message):
    """One consultation: a ticket of one's own, or one that this expert called."""

    consultation_id: Id


class SetDuty(Message):
    """Come on or go off duty for services."""

    on_duty: bool
    service_ids: Annotated[list[Id], Field(max_length=64, default_factory=list)]


class CallNext(Message):
    """Call whoever waits longest, of one service or of all one is on duty for."""

    service_id: Id | None = None


class Finish(Message):
    """End a consultation with a note on how it came out."""

    consultation_id: Id
    outcome: Note
