"""`Accounts`: sign in, stay signed in, sign out, change the password."""

import hashlib
import math
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, Gathering, new_id, utc_now
from errors import Kind, Problem
from members.accounts import repository
from members.accounts.limits import Allowance, Limiter, MemoryLimiter, source_key
from members.accounts.models import Account, LoginSession
from members.accounts.passwords import Passwords, check_password
from members.accounts.settings import AccountSettings
from members.accounts.views import AccountProfile, RoleView
from members.organizations import repository as organizations
from members.people.views import MemberView
from members.policy import Actor, RoleName

SLIDE_AFTER: Final = timedelta(minutes=5)
"""A session's use is written down at most this often, so that reading pages does not write."""

TOKEN_BYTES: Final = 32
MAXIMUM_TOKEN_LENGTH: Final = 100

_log = structlog.get_logger(__name__)


class SignedIn(NamedTuple):
    """Who signed in, and the session token for the cookie; it is shown only now."""

    actor: Actor
    token: str


class Accounts:
    """Log-ins and their sessions."""

    def __init__(
        self,
        database: Database,
        clock: Clock = utc_now,
        settings: AccountSettings | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings or AccountSettings()
        self._limiter = limiter or MemoryLimiter(clock)
        self._passwords = Passwords(self._settings)
        self._holders = Gathering(self.holders)
        self._per_account = Allowance(self._settings.attempts_per_account, self._settings.account_recovery)
        self._per_source = Allowance(self._settings.attempts_per_source, self._settings.source_recovery)

    async def sign_in(self, username: str, password: str, source_address: str) -> SignedIn:
        """Check a password and open a session.

        Raises Problem wrong_credentials (also for unknown users, and as slowly), account_disabled (only to who
        knows the password), too_many_attempts with retryAfter in whole seconds.
        """
        try:
            name = repository.normalize_username(username)
        except Problem:
            name = ""  # no such user; the rest goes its way, so that time tells nothing
        keys = (
            (f"account:{name}", self._per_account),
            (f"source:{source_key(source_address)}", self._per_source),
        )
        signed_in = None
        while signed_in is None:
            signed_in = await self._enter(await self._account_of(name, password, keys), password)
        return signed_in

    async def _enter(self, account: Account, password: str) -> SignedIn | None:
        """Open a session; None where the hash is another one by now: a new password, or the same one hashed anew."""
        if account.disabled_at is not None:
            raise Problem(Kind.FORBIDDEN, "account_disabled")
        fresh_hash = None
        if self._passwords.is_outdated(account.password_hash):
            fresh_hash = await self._passwords.hash(password)
        async with self._database.transaction() as session:
            current = await repository.get(session, account.id)
            if current is None or current.disabled_at is not None:
                raise Problem(Kind.UNAUTHENTICATED, "wrong_credentials")  # gone while we were hashing
            if current.password_hash != account.password_hash:
                return None
            if fresh_hash is not None:
                current.password_hash = fresh_hash
            token = self._open_session(session, current)
            _log.info("signed_in", account_id=current.id)
            return SignedIn(repository.actor_of(current), token)

    async def _account_of(self, name: str, password: str, keys: tuple[tuple[str, Allowance], ...]) -> Account:
        """The account with that name and password, at the price of an attempt when there is none.

        The attempt is taken in one's turn to hash, so that twenty people who sign in at once, each with the right
        password, hold no more of the allowance than there are turns.
        """
        await self._spend(keys)
        await self._refund(keys)  # who has none left need not wait for a turn to hear it
        async with self._passwords.turn():
            await self._spend(keys)
            async with self._database.reading() as session:
                account = await repository.by_username(session, name) if name else None
            right = await self._passwords.verify(account.password_hash if account else None, password)
            if account is None or not right:
                _log.info("sign_in_refused", account_id=account.id if account else None)
                raise Problem(Kind.UNAUTHENTICATED, "wrong_credentials")
            await self._refund(keys)
            return account

    async def authenticate(self, token: str) -> Actor | None:
        """Who holds this session token; None when unknown, expired, signed out or disabled. Total."""
        if not token or len(token) > MAXIMUM_TOKEN_LENGTH:
            return None
        key = session_key(token)
        return await self._holders.ask(key)

    async def holders(self, keys: Collection[str]) -> dict[str, Actor]:
        """Who holds the sessions with these keys, in one query; those that are worth nothing any more are left out."""
        now = self._clock()
        async with self._database.reading() as session:
            found = await repository.by_sessions(session, keys, now)
        alive = [(account, login) for account, login in found if account.disabled_at is None]
        used = {
            login.id: self._expiry(login.created_at, now)
            for _, login in alive
            if now - login.seen_at >= SLIDE_AFTER
        }
        if used:
            async with self._database.transaction() as session:
                await repository.slide(session, used, now)
        return {login.token_hash: repository.actor_of(account) for account, login in alive}

    async def sign_out(self, token: str) -> None:
        """End one session; an unknown token is no error."""
        if not token or len(token) > MAXIMUM_TOKEN_LENGTH:
            return
        async with self._database.transaction() as session:
            await repository.end_session(session, session_key(token))

    async def change_password(self, actor: Actor, current_password: str, new_password: str) -> str:
        """Set a new password, end every session of the account, and open one anew; answers its token.

        Raises Problem wrong_password, password_* for what the new one lacks, too_many_attempts.
        """
        async with self._database.reading() as session:
            account = await self._existing(session, actor.account_id)
        key = ((f"account:{account.username}", self._per_account),)
        await self._spend(key)
        async with self._passwords.turn():
            right = await self._passwords.verify(account.password_hash, current_password)
        if not right:
            raise Problem(Kind.INVALID, "wrong_password", {"field": "currentPassword"})
        await self._refund(key)
        check_password(new_password, account.username)
        if new_password == current_password:
            raise Problem(Kind.INVALID, "password_unchanged", {"field": "newPassword"})
        password_hash = await self._passwords.hash(new_password)
        async with self._database.transaction() as session:
            current = await self._existing(session, actor.account_id)
            if current.password_hash != account.password_hash:
                raise Problem(Kind.INVALID, "wrong_password", {"field": "currentPassword"})
            self._set_password(current, password_hash)
            await repository.end_sessions(session, current.id)
            return self._open_session(session, current)

    async def create(
        self, username: str, name: str, password: str, roles: Sequence[tuple[RoleName, str]] = ()
    ) -> str:
        """An operator's new log-in with roles at organizations (by id); answers its id.

        Raises Problem invalid_username, username_taken, unknown_organization, password_* for what the password lacks.
        """
        normal = repository.normalize_username(username)
        check_password(password, normal)
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as session:
            if await repository.by_username(session, normal) is not None:
                raise Problem(Kind.CONFLICT, "username_taken", {"field": "username"})
            known = await organizations.get_many(session, [organization_id for _, organization_id in roles])
            account = repository.add(
                session, username=normal, password_hash=password_hash, name=name, created_at=self._clock()
            )
            await session.flush()
            for role, organization_id in roles:
                if organization_id not in known:
                    raise Problem(Kind.NOT_FOUND, "unknown_organization")
                repository.grant(session, account.id, role, organization_id)
            return account.id

    async def exist(self) -> bool:
        """Whether anybody has a log-in. For the operator."""
        async with self._database.reading() as session:
            return await repository.exist(session)

    async def id_of(self, username: str) -> str:
        """The id of the account with this user name; Problem unknown_account when there is none. For the operator."""
        async with self._database.reading() as session:
            account = await repository.by_username(session, repository.normalize_username(username))
        if account is None:
            raise Problem(Kind.NOT_FOUND, "unknown_account")
        return account.id

    async def set_password(self, account_id: str, new_password: str) -> None:
        """An operator's reset: a new password, every session ended."""
        async with self._database.reading() as session:
            account = await self._existing(session, account_id)
        check_password(new_password, account.username)
        password_hash = await self._passwords.hash(new_password)
        async with self._database.transaction() as session:
            current = await self._existing(session, account_id)
            self._set_password(current, password_hash)
            await repository.end_sessions(session, account_id)

    async def disable(self, account_id: str) -> None:
        """Close a log-in and end its sessions; what it wrote stays."""
        async with self._database.transaction() as session:
            (await self._existing(session, account_id)).disabled_at = self._clock()
            await repository.end_sessions(session, account_id)

    async def enable(self, account_id: str) -> None:
        """Open a closed log-in again."""
        async with self._database.transaction() as session:
            (await self._existing(session, account_id)).disabled_at = None

    async def set_locale(self, actor: Actor, locale: str) -> None:
        """Remember the language that one reads the product in."""
        async with self._database.transaction() as session:
            (await self._existing(session, actor.account_id)).locale = locale

    async def actor(self, account_id: str) -> Actor | None:
        """The account as an actor with its roles of this moment; None when absent or disabled."""
        async with self._database.reading() as session:
            account = await repository.get(session, account_id)
        return repository.actor_of(account) if account is not None and account.disabled_at is None else None

    async def profile(self, actor: Actor) -> AccountProfile:
        """What one is told about one's own log-in."""
        async with self._database.reading() as session:
            account = await self._existing(session, actor.account_id)
        roles = tuple(
            RoleView(held.role, held.organization_id, held.organization.name) for held in account.roles
        )
        return AccountProfile(
            account_id=account.id,
            username=account.username,
            name=account.name,
            locale=account.locale,
            level=repository.actor_of(account).level,
            roles=roles,
            member=MemberView.of(account.member) if account.member else None,
        )

    async def delete_expired_sessions(self) -> int:
        """Forget the sessions of the past; for a daily task. Answers how many."""
        async with self._database.transaction() as session:
            return await repository.delete_expired(session, self._clock())

    async def hash_password(self, password: str) -> str:
        """A hash for an account about to be made; the import and the demo use it."""
        return await self._passwords.hash(password)

    async def _existing(self, session: AsyncSession, account_id: str) -> Account:
        account = await repository.get(session, account_id)
        if account is None:
            raise Problem(Kind.NOT_FOUND, "unknown_account")
        return account

    def _set_password(self, account: Account, password_hash: str) -> None:
        account.password_hash = password_hash
        account.password_changed_at = self._clock()

    def _open_session(self, session: AsyncSession, account: Account) -> str:
        now = self._clock()
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session.add(
            LoginSession(
                id=new_id(),
                token_hash=session_key(token),
                account_id=account.id,
                created_at=now,
                seen_at=now,
                expires_at=self._expiry(now, now),
            )
        )
        return token

    def _expiry(self, created_at: datetime, now: datetime) -> datetime:
        return min(now + self._settings.session_idle, created_at + self._settings.session_lifetime)

    async def _spend(self, keys: tuple[tuple[str, Allowance], ...]) -> None:
        """Take an attempt from every key before the password is looked at, so that guesses at once count too."""
        for position, (key, allowance) in enumerate(keys):
            wait = await self._limiter.spend(key, allowance)
            if wait > 0:
                await self._refund(keys[:position])
                _log.warning("sign_in_limited", by=key.partition(":")[0])
                raise Problem(Kind.RATE_LIMITED, "too_many_attempts", {"retryAfter": math.ceil(wait)})

    async def _refund(self, keys: tuple[tuple[str, Allowance], ...]) -> None:
        for key, allowance in keys:
            await self._limiter.refund(key, allowance)


def session_key(token: str) -> str:
    """What is kept of a session's token, here and in the records."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
