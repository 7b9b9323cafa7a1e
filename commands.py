"""What an operator does beside serving: the demo, imports, log-ins, checks. Each public function is one command."""

import argparse
import getpass
import json
import sys
from collections.abc import Callable
from typing import Final

from config import Config
from database import Database, utc_now
from members.accounts import Accounts
from members.accounts.passwords import check_password
from members.cards import Cards
from members.demo import make_demo
from members.importing import ImportRefused, import_path
from members.organizations import Organizations
from members.policy import RoleName
from recordings.storage.repository import waiting
from recordings.storage.s3 import S3Store
from recordings.storage.store import REMEDIES, StoreError
from rooms.consultations.setup import ConsultationSheets
from rooms.consultations.stations import Stations
from rooms.demo import furnish_demo
from startup import StartFailed, records, storage_settings
from welcome import Demo, demo_lines, table

PROBE: Final = "huitang-probe/probe.txt"
BROKEN: Final = 2  # the exit code of verify-cards where a chain does not hold


async def make_demo_organization(database: Database) -> Demo:
    """The demo where there is no organization yet, furnished; answers the log-ins and station keys that work."""
    logins = await make_demo(database, utc_now)
    return Demo(tuple(logins), tuple(await furnish_demo(database, utc_now)))


async def demo(config: Config, arguments: argparse.Namespace) -> int:
    """Make the demo organization and print its log-ins, for people or for scripts."""
    async with records(config) as database:
        made = await make_demo_organization(database)
    if not made.logins:
        raise StartFailed("This database holds other organizations; the demo wants one without any.")
    if arguments.json:
        print(json.dumps([login.as_json() for login in made.logins], ensure_ascii=False, indent=2))
    else:
        print("\n".join(demo_lines(made)))
    return 0


async def import_file(config: Config, arguments: argparse.Namespace) -> int:
    """Import sheets, all or nothing; prints the passwords made for new accounts, which are shown only now."""
    async with records(config) as database:
        try:
            report = await import_path(
                database,
                Accounts(database, utc_now),
                arguments.path,
                dry_run=arguments.dry_run,
                clock=utc_now,
                progress=_progress("passwords"),
                further=ConsultationSheets(),
            )
        except ImportRefused as refused:
            raise StartFailed(f"{refused}\nNothing was imported.") from refused
    print(report)
    for warning in report.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    for username, password in report.initial_passwords:
        print(f"{username}\t{password}")
    return 0


async def stations(config: Config, _arguments: argparse.Namespace) -> int:
    """List the stations, and whether a key was made for each."""
    async with records(config) as database:
        found = await Stations(database, utc_now).registered()
    if not found:
        print("There are no stations. Import stations.csv to make some; import --help tells its columns.")
        return 0
    rows = [
        (one.station.id, "yes" if one.has_key else "no", one.station.name, one.station.organization_name)
        for one in found
    ]
    print("\n".join(table([("id", "key", "name", "organization"), *rows])))
    return 0


async def station_key(config: Config, arguments: argparse.Namespace) -> int:
    """Make a device key and print it: it is shown only now."""
    async with records(config) as database:
        station, key = await Stations(database, utc_now).make_key(arguments.station)
    print(f"The key of {station.name}, shown only now: {key}")
    print("Open this server's address with /station at its end on the screen, and type it there.")
    print("A screen that was paired with an earlier key is a station no longer.")
    return 0


async def create_account(config: Config, arguments: argparse.Namespace) -> int:
    """Make a log-in with one role, such as the first administrator's."""
    password = _ask_password(arguments.username)
    async with records(config) as database:
        organizations = Organizations(database, utc_now)
        if arguments.new_department:
            where = await organizations.add_department(arguments.organization)
        else:
            where = await organizations.find(arguments.organization)
        role = RoleName(arguments.role)
        await Accounts(database, utc_now).create(
            arguments.username, arguments.name, password, [(role, where.id)]
        )
    print(f"{arguments.username} can sign in: {role} at {where.name}.")
    return 0


async def reset_password(config: Config, arguments: argparse.Namespace) -> int:
    """Set a password; every session of the account ends."""
    async with records(config) as database:
        accounts = Accounts(database, utc_now)
        account_id = await accounts.id_of(arguments.username)
        await accounts.set_password(account_id, _ask_password(arguments.username))
    print(f"{arguments.username} has a new password and is signed out everywhere.")
    return 0


async def verify_cards(config: Config, _arguments: argparse.Namespace) -> int:
    """Check every card's chain."""
    async with records(config) as database:
        found = await Cards(database, utc_now).verify(_progress("cards"))
    for link in found.broken:
        print(f"broken: {link}")
    print(f"{found.cards} cards, {found.entries} entries, {len(found.broken)} broken")
    return BROKEN if found.broken else 0


async def migrate(config: Config, _arguments: argparse.Namespace) -> int:
    """Apply what is missing; every other command does it too."""
    async with records(config):
        print("The database is up to date.")
    return 0


def _ask_password(username: str) -> str:
    """From the keyboard, twice and unseen; or, for scripts, the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass(f"Password for {username}: ")
    check_password(password, username.casefold())
    if getpass.getpass("Once more: ") != password:
        raise StartFailed("The two are not the same.")
    return password


def _progress(what: str) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done >= total else ""
            print(f"\r{what}: {done} of {total}", end=end, file=sys.stderr, flush=True)

    return show


async def storage(config: Config, _arguments: argparse.Namespace) -> int:
    """Write, read and delete a small file in the remote store, and say what waits for it."""
    settings = storage_settings(config)
    if settings is None:
        print("Recordings lie in their folder alone: HUITANG_STORAGE__BUCKET names no remote store.")
        return 0
    store = S3Store(settings)
    try:
        await store.check()
        await store.probe(PROBE)
    except StoreError as error:
        raise StartFailed(f"{error.remedy} (it said: {error.detail or 'nothing'})") from error
    finally:
        await store.close()
    print(f"The store can be listed, written, read and deleted in: bucket {settings.bucket}.")
    async with records(config) as database, database.reading() as session:
        count, faults = await waiting(session)
    print(f"{count} recordings wait to be carried there or removed.")
    for fault in faults:
        print(f"Last time: {REMEDIES[fault]}")
    return 0
