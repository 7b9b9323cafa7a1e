"""Accounts: who may sign in, as whom, and for how long.

The invariant: a password is known here only as its argon2id hash, a session token only as its SHA-256.
"""

from members.accounts.models import Account, AccountRole, LoginSession
from members.accounts.service import Accounts, SignedIn, session_key
from members.accounts.settings import AccountSettings
from members.accounts.views import AccountProfile, RoleView

__all__ = [
    "Account",
    "AccountProfile",
    "AccountRole",
    "AccountSettings",
    "Accounts",
    "LoginSession",
    "RoleView",
    "SignedIn",
    "session_key",
]
