"""Who opened a connection to `/stations`: somebody signed in, a paired station, a ticket's holder."""

from dataclasses import dataclass

from errors import Kind, Problem
from members.policy import Actor, RoleName
from rooms.consultations.service import Resident


@dataclass(frozen=True)
class Credentials:
    """What a connection showed when it was opened: secrets, never in a log."""

    token: str | None
    station_cookie: str | None
    session_cookie: str | None


@dataclass(frozen=True)
class Caller:
    """`principal` is what the consultations service is asked with; it judges what that may do."""

    principal: Resident
    credentials: Credentials

    @property
    def expert(self) -> Actor:
        """For what only experts may do; Problem forbidden for everybody else."""
        if isinstance(self.principal, Actor) and self.principal.has(RoleName.EXPERT):
            return self.principal
        raise Problem(Kind.FORBIDDEN, "forbidden")

    @property
    def is_expert(self) -> bool:
        """Whether there is a desk behind this connection."""
        return isinstance(self.principal, Actor) and self.principal.has(RoleName.EXPERT)
