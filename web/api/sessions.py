"""Signing in and out, and the own account."""

from members.accounts.views import AccountProfile
from members.policy import Actor
from signaling.cookies import SESSION_COOKIE
from web.api.call import Answer, Asked, Nothing
from web.api.cookies import clear_cookie, set_cookie
from web.api.schemas.accounts import (
    AccountOut,
    AccountUpdate,
    PasswordChange,
    SessionMember,
    SessionOut,
    SessionRole,
    SignIn,
)


async def sign_in(asked: Asked[SignIn]) -> Answer:
    """Check the password and open a session; the one this browser had before ends."""
    accounts = asked.services.accounts
    signed_in = await accounts.sign_in(asked.input.username, asked.input.password, asked.seen.remote)
    if asked.caller.session_token is not None:
        await accounts.sign_out(asked.caller.session_token)
    return await _with_cookie(asked, signed_in.actor, signed_in.token)


async def session(asked: Asked[Nothing]) -> SessionOut:
    """Who is signed in."""
    return _out(await asked.services.accounts.profile(asked.caller.person))


async def sign_out(asked: Asked[Nothing]) -> Answer:
    """End the session; without one there is nothing to do, and that is no error."""
    if asked.caller.session_token is not None:
        await asked.services.accounts.sign_out(asked.caller.session_token)
    return Answer(None, lambda response: clear_cookie(response, SESSION_COOKIE, seen=asked.seen))


async def update_account(asked: Asked[AccountUpdate]) -> SessionOut:
    """Choose the language that messages come in."""
    await asked.services.accounts.set_locale(asked.caller.person, asked.input.locale)
    return _out(await asked.services.accounts.profile(asked.caller.person))


async def change_password(asked: Asked[PasswordChange]) -> Answer:
    """Set a new password: every other browser is signed out."""
    actor = asked.caller.person
    token = await asked.services.accounts.change_password(
        actor, asked.input.current_password, asked.input.new_password
    )
    return await _with_cookie(asked, actor, token)


async def _with_cookie(asked: Asked[SignIn] | Asked[PasswordChange], actor: Actor, token: str) -> Answer:
    profile = await asked.services.accounts.profile(actor)
    seconds = asked.edge.settings.session_seconds
    return Answer(
        _out(profile),
        lambda response: set_cookie(response, SESSION_COOKIE, token, seconds=seconds, seen=asked.seen),
    )


def _out(profile: AccountProfile) -> SessionOut:
    return SessionOut(
        account=AccountOut(
            id=profile.account_id, username=profile.username, name=profile.name, locale=profile.locale
        ),
        member=SessionMember.model_validate(profile.member) if profile.member else None,
        roles=[SessionRole.model_validate(role) for role in profile.roles],
        level=profile.level,
    )
