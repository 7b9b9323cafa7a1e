import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from database import Database
from errors import Kind, Problem
from members.accounts import Account, Accounts, AccountSettings, LoginSession, repository, session_key
from members.accounts.passwords import Passwords
from members.policy import Level, RoleName
from tests.factories import CHEAP, PASSWORD, FakeClock, Records
from tests.statements import statements

HERE = "192.0.2.1"


async def refused(accounts: Accounts, username: str, password: str, source: str = HERE) -> Problem:
    with pytest.raises(Problem) as caught:
        await accounts.sign_in(username, password, source)
    return caught.value


async def test_a_member_signs_in_with_roles_and_home(accounts: Accounts, records: Records) -> None:
    tree = await records.tree()
    member = await records.member(tree.branch, "王秀兰", guest_of=tree.cousin)
    await records.account((RoleName.SECRETARY, tree.branch), member=member, username="xiulan")
    actor, token = await accounts.sign_in("xiulan", PASSWORD, HERE)
    assert (actor.name, actor.member_id, actor.home_path) == ("王秀兰", member.id, tree.branch.path)
    assert actor.guest_path == tree.cousin.path
    assert {(held.role, held.organization_path) for held in actor.roles} == {
        (RoleName.SECRETARY, tree.branch.path),
        (RoleName.MEMBER, tree.branch.path),
    }
    assert actor.level is Level.BRANCH
    assert await accounts.authenticate(token) == actor


async def test_it_is_known_whether_anybody_has_a_log_in(accounts: Accounts, records: Records) -> None:
    assert not await accounts.exist()
    await records.account(username="xiulan")
    assert await accounts.exist()


async def test_who_signs_in_twice_at_once_is_let_in_twice_though_the_hash_is_made_anew(
    database: Database, records: Records
) -> None:
    await records.account(username="xiulan")
    dearer = Accounts(database, settings=replace(CHEAP, argon2_time_cost=CHEAP.argon2_time_cost + 1))
    both = await asyncio.gather(*(dearer.sign_in("xiulan", PASSWORD, HERE) for _ in range(2)))
    assert both[0].token != both[1].token


@pytest.mark.parametrize("typed", ["xiulan", "XiuLan", " xiulan ", "ｘｉｕｌａｎ"])
async def test_a_user_name_has_one_spelling(accounts: Accounts, records: Records, typed: str) -> None:
    await records.account(username="xiulan")
    assert (await accounts.sign_in(typed, PASSWORD, HERE)).actor.account_id


async def test_the_database_knows_neither_password_nor_token(
    database: Database, accounts: Accounts, records: Records
) -> None:
    await records.account(username="xiulan")
    _, token = await accounts.sign_in("xiulan", PASSWORD, HERE)
    async with database.reading() as session:
        login = (await session.scalars(select(LoginSession))).one()
        account = (await session.scalars(select(Account))).one()
    assert token not in {login.token_hash, login.id}
    assert account.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("xiulan", "wrong-password"),
        ("xiulan", ""),
        ("xiulan", "x" * 1_000_000),
        ("xiulan", "\ud800"),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("x" * 10_000, PASSWORD),
        ("xiu\0lan", PASSWORD),
        ("\ud800\ud800", PASSWORD),
    ],
)
async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(
    accounts: Accounts, records: Records, username: str, password: str
) -> None:
    await records.account(username="xiulan")
    problem = await refused(accounts, username, password)
    assert (problem.kind, problem.code, problem.details) == (Kind.UNAUTHENTICATED, "wrong_credentials", {})


async def test_an_unknown_user_costs_a_whole_hash_too(
    accounts: Accounts, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted and not timed: every refusal verifies exactly one hash."""
    await records.account(username="xiulan")
    await refused(accounts, "warm-up", PASSWORD)  # makes the hash that unknown users are measured with
    verified = 0
    original = Passwords._matches

    def count(self: Passwords, password_hash: str, password: str) -> bool:
        nonlocal verified
        verified += 1
        return original(self, password_hash, password)

    monkeypatch.setattr(Passwords, "_matches", count)
    for expected, username in enumerate(("xiulan", "nobody", "", "x" * 100), start=1):
        await refused(accounts, username, "wrong-password")
        assert verified == expected


async def test_the_event_loop_runs_on_while_a_password_is_hashed() -> None:
    passwords = Passwords(AccountSettings(argon2_memory_kib=8192))
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    await passwords.hash(PASSWORD)
    heart.cancel()
    assert beats > 10


async def test_sign_ins_beyond_the_queue_are_told_to_come_back() -> None:
    passwords = Passwords(AccountSettings(argon2_time_cost=1, argon2_memory_kib=8, hashing_queue=3))
    answers = await asyncio.gather(*(passwords.hash(PASSWORD) for _ in range(5)), return_exceptions=True)
    late = [answer for answer in answers if isinstance(answer, Problem)]
    assert [(problem.kind, problem.code) for problem in late] == [
        (Kind.RATE_LIMITED, "too_many_attempts")
    ] * 2
    known = await passwords.hash(PASSWORD)
    async with passwords.turn():
        assert await passwords.verify(known, PASSWORD)


async def test_the_eleventh_wrong_password_must_wait_and_so_must_the_right_one(
    accounts: Accounts, records: Records, clock: FakeClock
) -> None:
    await records.account(username="xiulan")
    for number in range(10):
        assert (await refused(accounts, "xiulan", "wrong", f"192.0.2.{number}")).code == "wrong_credentials"
    problem = await refused(accounts, "XIULAN", PASSWORD, "192.0.2.99")
    assert (problem.kind, problem.code, problem.details) == (
        Kind.RATE_LIMITED,
        "too_many_attempts",
        {"retryAfter": 60},
    )
    clock.advance(59.5)
    assert (await refused(accounts, "xiulan", PASSWORD)).details == {"retryAfter": 1}
    clock.advance(0.5)
    await accounts.sign_in("xiulan", PASSWORD, HERE)


async def test_right_passwords_are_never_limited(accounts: Accounts, records: Records) -> None:
    await records.account(username="xiulan")
    for _ in range(30):
        await accounts.sign_in("xiulan", PASSWORD, HERE)


async def test_right_passwords_at_once_are_not_limited_either(accounts: Accounts, records: Records) -> None:
    """A reading room opens one log-in on all its screens at seven o'clock."""
    await records.account(username="xiulan")
    opened = await asyncio.gather(*(accounts.sign_in("xiulan", PASSWORD, HERE) for _ in range(70)))
    assert len({token for _, token in opened}) == 70


async def test_guesses_at_once_count_like_guesses_in_a_row(accounts: Accounts, records: Records) -> None:
    await records.account(username="xiulan")
    guesses = (refused(accounts, "xiulan", "wrong") for _ in range(30))
    codes = [problem.code for problem in await asyncio.gather(*guesses)]
    assert codes.count("wrong_credentials") == 10


async def test_one_source_guesses_at_many_accounts_only_so_often(
    accounts: Accounts, records: Records
) -> None:
    await records.account(username="xiulan")
    for number in range(60):
        assert (await refused(accounts, f"user-{number}", "wrong", "2001:db8::1")).code == "wrong_credentials"
    assert (
        await refused(accounts, "another", "wrong", "2001:db8::2")
    ).code == "too_many_attempts"  # the same /64
    assert (await refused(accounts, "another", "wrong", "2001:db8:0:1::1")).code == "wrong_credentials"
    await accounts.sign_in("xiulan", PASSWORD, HERE)


async def test_a_limited_source_takes_no_attempts_from_the_account(
    accounts: Accounts, records: Records
) -> None:
    await records.account(username="xiulan")
    for number in range(60):
        await refused(accounts, f"user-{number}", "wrong")
    for _ in range(20):
        assert (await refused(accounts, "xiulan", "wrong")).code == "too_many_attempts"
    await accounts.sign_in("xiulan", PASSWORD, "198.51.100.7")


async def test_a_closed_log_in_says_so_only_to_who_knows_the_password(
    accounts: Accounts, records: Records
) -> None:
    account = await records.account(username="xiulan")
    _, token = await accounts.sign_in("xiulan", PASSWORD, HERE)
    await accounts.disable(account.id)
    assert await accounts.authenticate(token) is None
    assert await accounts.actor(account.id) is None
    assert (await refused(accounts, "xiulan", "wrong")).code == "wrong_credentials"
    problem = await refused(accounts, "xiulan", PASSWORD)
    assert (problem.kind, problem.code) == (Kind.FORBIDDEN, "account_disabled")
    await accounts.enable(account.id)
    assert await accounts.authenticate(token) is None  # an ended session stays ended
    await accounts.sign_in("xiulan", PASSWORD, HERE)


async def test_a_session_lives_on_while_it_is_used_and_ends_when_idle(
    accounts: Accounts, records: Records, clock: FakeClock
) -> None:
    await records.account(username="xiulan")
    _, token = await accounts.sign_in("xiulan", PASSWORD, HERE)
    for _ in range(8):
        clock.advance(timedelta(days=6))
        assert await accounts.authenticate(token) is not None
    clock.advance(timedelta(days=7))
    assert await accounts.authenticate(token) is None


async def test_the_use_of_many_sessions_is_written_down_at_once_and_what_has_ended_stays_so(
    database: Database, accounts: Accounts, records: Records, clock: FakeClock
) -> None:
    account = await records.account(username="xiulan")
    keys = {session_key((await accounts.sign_in("xiulan", PASSWORD, HERE)).token) for _ in range(3)}
    for _ in range(2):
        clock.advance(timedelta(days=6))
        with statements(database) as seen:
            assert set(await accounts.holders(keys)) == keys
        assert len([text for text in seen if text.startswith("UPDATE")]) == 1
    async with database.transaction() as session:
        known = list(await session.scalars(select(LoginSession.id)))
        await repository.end_sessions(session, account.id)
        await repository.slide(session, dict.fromkeys(known, clock() + timedelta(days=7)), clock())
    assert await accounts.holders(keys) == {}


async def test_a_session_ends_after_its_lifetime_however_much_it_is_used(
    accounts: Accounts, records: Records, clock: FakeClock
) -> None:
    await records.account(username="xiulan")
    _, token = await accounts.sign_in("xiulan", PASSWORD, HERE)
    for _ in range(59):
        clock.advance(timedelta(days=1))
        assert await accounts.authenticate(token) is not None
    clock.advance(timedelta(days=1))
    assert await accounts.authenticate(token) is None
    assert await accounts.delete_expired_sessions() == 1


async def test_signing_out_ends_one_session_of_two(accounts: Accounts, records: Records) -> None:
    await records.account(username="xiulan")
    _, phone = await accounts.sign_in("xiulan", PASSWORD, HERE)
    _, computer = await accounts.sign_in("xiulan", PASSWORD, HERE)
    await accounts.sign_out(phone)
    assert await accounts.authenticate(phone) is None
    assert await accounts.authenticate(computer) is not None


@pytest.mark.parametrize("token", ["", "x", "x" * 101, "\ud800", "'; --", "\0"])
async def test_any_text_as_a_session_token_is_nobody(accounts: Accounts, token: str) -> None:
    assert await accounts.authenticate(token) is None
    await accounts.sign_out(token)


async def test_a_new_password_ends_every_session_but_the_one_it_opens(
    accounts: Accounts, records: Records
) -> None:
    await records.account(username="xiulan")
    actor, old = await accounts.sign_in("xiulan", PASSWORD, HERE)
    fresh = await accounts.change_password(actor, PASSWORD, "taohua-4101")
    assert await accounts.authenticate(old) is None
    assert await accounts.authenticate(fresh) == actor
    assert (await refused(accounts, "xiulan", PASSWORD)).code == "wrong_credentials"
    await accounts.sign_in("xiulan", "taohua-4101", HERE)


@pytest.mark.parametrize(
    ("current", "new", "code"),
    [
        ("wrong", "taohua-4101", "wrong_password"),
        (PASSWORD, "short", "password_too_short"),
        (PASSWORD, "x" * 129, "password_too_long"),
        (PASSWORD, "abababababab", "password_too_common"),
        (PASSWORD, "Password123", "password_too_common"),
        (PASSWORD, "my-XIULAN-pass", "password_contains_username"),
        (PASSWORD, PASSWORD, "password_unchanged"),
    ],
)
async def test_a_poor_new_password_is_refused_and_the_sessions_stay(
    accounts: Accounts, records: Records, current: str, new: str, code: str
) -> None:
    await records.account(username="xiulan")
    actor, token = await accounts.sign_in("xiulan", PASSWORD, HERE)
    with pytest.raises(Problem) as caught:
        await accounts.change_password(actor, current, new)
    assert (caught.value.kind, caught.value.code) == (Kind.INVALID, code)
    assert await accounts.authenticate(token) is not None


async def test_guessing_the_current_password_is_limited_like_signing_in(
    accounts: Accounts, records: Records
) -> None:
    await records.account(username="xiulan")
    actor, _ = await accounts.sign_in("xiulan", PASSWORD, HERE)
    codes = []
    for _ in range(11):
        with pytest.raises(Problem) as caught:
            await accounts.change_password(actor, "wrong", "taohua-4101")
        codes.append(caught.value.code)
    assert codes == ["wrong_password"] * 10 + ["too_many_attempts"]


async def test_a_hash_of_an_old_price_is_renewed_at_the_next_sign_in(
    database: Database, accounts: Accounts, records: Records, clock: FakeClock
) -> None:
    account = await records.account(username="xiulan")
    dearer = Accounts(database, clock, AccountSettings(argon2_time_cost=2, argon2_memory_kib=16))
    await dearer.sign_in("xiulan", PASSWORD, HERE)
    async with database.reading() as session:
        renewed = (await session.get_one(Account, account.id)).password_hash
    assert "m=16,t=2" in renewed
    await accounts.sign_in("xiulan", PASSWORD, HERE)


async def test_the_profile_names_member_roles_and_level(accounts: Accounts, records: Records) -> None:
    tree = await records.tree()
    member = await records.member(tree.branch, "王秀兰")
    actor = await records.actor((RoleName.EXPERT, tree.department), member=member)
    profile = await accounts.profile(actor)
    assert (profile.level, profile.locale, profile.name) == (Level.MEMBER, "zh-CN", "王秀兰")
    assert profile.member is not None
    assert profile.member.organization_name == tree.branch.name
    assert {(role.role, role.organization_name) for role in profile.roles} == {
        (RoleName.EXPERT, tree.department.name),
        (RoleName.MEMBER, tree.branch.name),
    }
    await accounts.set_locale(actor, "en")
    assert (await accounts.profile(actor)).locale == "en"


async def test_an_operator_makes_log_ins_and_resets_passwords(accounts: Accounts, records: Records) -> None:
    tree = await records.tree()
    created = await accounts.create(
        "Officer", "高明远", PASSWORD, [(RoleName.DISTRICT_OFFICER, tree.department.id)]
    )
    actor, token = await accounts.sign_in("officer", PASSWORD, HERE)
    assert (actor.account_id, actor.level) == (created, Level.DISTRICT)
    await accounts.set_password(await accounts.id_of("OFFICER"), "taohua-4101")
    assert await accounts.authenticate(token) is None
    await accounts.sign_in("officer", "taohua-4101", HERE)


@pytest.mark.parametrize(
    ("username", "organization", "code"),
    [
        ("taken", "", "username_taken"),
        ("a/b", "", "invalid_username"),
        ("free", "f" * 32, "unknown_organization"),
    ],
)
async def test_a_log_in_that_cannot_be_is_not_made(
    accounts: Accounts, records: Records, username: str, organization: str, code: str
) -> None:
    await records.account(username="taken")
    roles = [(RoleName.RESIDENT, organization)] if organization else []
    with pytest.raises(Problem, match=code):
        await accounts.create(username, "某人", PASSWORD, roles)
    with pytest.raises(Problem, match="unknown_account"):
        await accounts.id_of("free")


async def test_a_password_changed_while_one_signs_in_with_the_old_refuses_the_old(
    database: Database, accounts: Accounts, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await records.account(username="xiulan")
    original = Passwords.verify

    async def verify_and_be_overtaken(self: Passwords, password_hash: str | None, password: str) -> bool:
        right = await original(self, password_hash, password)
        async with database.transaction() as session:
            (await session.get_one(Account, account.id)).password_hash = await Passwords(CHEAP).hash(
                "another-one"
            )
        return right

    monkeypatch.setattr(Passwords, "verify", verify_and_be_overtaken)
    assert (await refused(accounts, "xiulan", PASSWORD)).code == "wrong_credentials"
    async with database.reading() as session:
        assert (await session.scalars(select(LoginSession))).all() == []


async def test_accounts_are_found_by_member_and_names_by_account(
    database: Database, records: Records
) -> None:
    branch = await records.organization()
    member, without = await records.member(branch), await records.member(branch)
    account = await records.account(member=member)
    async with database.reading() as session:
        assert await repository.by_member(session, [member.id, without.id]) == {member.id: account.id}
        assert await repository.names(session, [account.id, "0" * 32]) == {account.id: member.name}
        assert await repository.names(session, []) == {}
