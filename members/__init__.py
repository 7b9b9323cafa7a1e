"""Who there is, and what each may do: organizations, members, accounts and roles, activity cards.

Words: an *organization* is a node of the one tree (department, committees, branches, groups) and carries its
materialized `path` "/id/id/"; a *member* is a person on a branch's register, with or without a log-in; an *account*
is a log-in, of a member or not; a *role* is held at an organization and reaches down its subtree, never sideways or
up; a *card entry* is one line of a member's append-only activity card.

The invariant: nobody sees or does anything that `members.policy` does not allow, and a card entry, once written, is
never changed.

Services (constructed with a Database; a public method is one unit of work):
    accounts.Accounts        sign in, sessions, passwords, roles
    organizations.Organizations · people.Members   the tree and the registers, as far as one may see
    cards.Cards              append (inside the caller's transaction), list, verify
    tokens.Tokens            signed, expiring tokens for rooms, stations and tickets

Beside them, for the operator: demo.make_demo, importing.import_path.

Problem codes raised here: not_signed_in, forbidden, not_found, wrong_credentials, account_disabled,
too_many_attempts, password_too_short, password_too_long, password_too_common, password_contains_username,
password_unchanged, wrong_password, invalid_username, username_taken, unknown_account, unknown_organization,
ambiguous_organization, organization_exists, token_invalid, token_expired.
"""
