"""Who opened a connection to `/rooms`, and what rooms is given for that at the door."""

from dataclasses import dataclass

from errors import Problem
from members.accounts.service import Accounts
from members.policy import Actor
from members.tokens import Purpose, Tokens


@dataclass(frozen=True)
class Visitor:
    """One of the two: a room token, or the token of a log-in session. Secrets: never in a log."""

    room_token: str | None = None
    login_token: str | None = None


class Doorman:
    """Tells who is at the door. Rights are looked up at each entry, since roles and log-ins end while people wait."""

    def __init__(self, accounts: Accounts, tokens: Tokens) -> None:
        self._accounts = accounts
        self._tokens = tokens

    async def recognize(self, token: str | None, cookie: str | None) -> Visitor | None:
        """A visitor with a credential that is good now; a bad token is not made up for by a good cookie."""
        if token is not None:
            try:
                self._tokens.read(Purpose.ROOM, token)
            except Problem:
                return None
            return Visitor(room_token=token)
        if cookie is None or await self._accounts.authenticate(cookie) is None:
            return None
        return Visitor(login_token=cookie)

    async def credential(self, visitor: Visitor) -> Actor | str | None:
        """What rooms wants to see; None when the log-in has ended since."""
        if visitor.room_token is not None:
            return visitor.room_token
        return await self._accounts.authenticate(visitor.login_token or "")
