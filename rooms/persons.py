"""The keys by which people are counted in rooms: one a person, whatever device he comes with."""

from members.policy import Actor


def member_key(member_id: str) -> str:
    """A member's key."""
    return f"member:{member_id}"


def member_of(key: str) -> str | None:
    """Whose key it is, where it is a member's."""
    kind, _, member_id = key.partition(":")
    return member_id if kind == "member" else None


def person_key(actor: Actor) -> str:
    """The key of somebody signed in: the member, or the account of who is none."""
    return member_key(actor.member_id) if actor.member_id is not None else f"account:{actor.account_id}"


def guest_key(guest_id: str) -> str:
    """The key of somebody invited by a link, or of a resident with a ticket."""
    return f"guest:{guest_id}"


def device_key(stream_key_id: str) -> str:
    """The key of the encoder or player that shows a stream key."""
    return f"device:{stream_key_id}"


def station_key(station_id: str) -> str:
    """The key of whoever stands before a station."""
    return f"station:{station_id}"
