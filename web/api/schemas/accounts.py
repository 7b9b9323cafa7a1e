"""Sign-in, the session's person, and what one may change about the own account."""

from typing import Annotated

from pydantic import Field, StringConstraints

from localization import Language
from members.people.models import Standing
from members.policy import RoleName
from web.api.schemas.base import Id, Input, Output, Text

MAX_PASSWORD = 200  # argon2 hashes any length; a megabyte of password is an attack on the processor


class SignIn(Input):
    """`POST /api/session`."""

    username: Annotated[Text, StringConstraints(min_length=1, max_length=100)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=MAX_PASSWORD, strip_whitespace=False)]


class PasswordChange(Input):
    """`POST /api/account/password`: every other session of the account ends."""

    current_password: Annotated[
        str, StringConstraints(min_length=1, max_length=MAX_PASSWORD, strip_whitespace=False)
    ]
    # How long it must be is members' to say.
    new_password: Annotated[
        str, StringConstraints(min_length=1, max_length=MAX_PASSWORD, strip_whitespace=False)
    ]


class AccountUpdate(Input):
    """`PATCH /api/account`."""

    locale: Language


class AccountOut(Output):
    """Who signed in; `name` is the person's, whether or not there is a member behind the account."""

    id: Id
    username: str
    name: str
    locale: Language


class FlowingOut(Output):
    """Where a flowing member lives now."""

    place: str
    timezone: str


class SessionMember(Output):
    """The member behind the account, if there is one."""

    id: Id
    name: str
    organization_id: Id
    organization_name: str
    standing: Standing
    flowing: FlowingOut | None


class SessionRole(Output):
    """A role is held at an organization and reaches down its subtree."""

    role: RoleName
    organization_id: Id
    organization_name: str


class SessionOut(Output):
    """`GET /api/session`."""

    account: AccountOut
    member: SessionMember | None
    roles: list[SessionRole]
    level: Annotated[int, Field(ge=1, le=5)]
