"""Huitang's command line: serve, and the few things an operator does beside it. `--help` lists them.

The parts and their order of starting and stopping are in node.py, the operator's other commands in commands.py and
recording_commands.py; this file reads arguments, runs what they name, and says in one sentence why it could not.
"""

import argparse
import gc
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

import commands
import config
import logs
import recording_commands
from members import importing
from members.accounts import Accounts
from members.policy import RoleName
from rooms.consultations import setup as consultations
from startup import StartFailed, prepare_folder, records, sole_server, sole_use, stop_signal
from web.listener import ListenError
from welcome import Demo, welcome

EPILOG: Final = """\
Configuration: environment variables HUITANG_SECTION__NAME, or a TOML file; docs/configuration.md lists them all.
To try it: serve --demo. To begin in earnest: create-account, then import.
"""
INTERRUPTED: Final = 130

Command = Callable[[config.Config, argparse.Namespace], Coroutine[Any, Any, int]]

logger = structlog.get_logger(__name__)


async def serve(settings: config.Config, arguments: argparse.Namespace) -> int:
    """Run until a signal; the first one stops in order, a second one at once."""
    prepare_folder(settings.data_dir)
    with sole_use(settings.data_dir):
        return await _serve(settings, demo=arguments.demo)


async def _serve(settings: config.Config, *, demo: bool) -> int:
    async with records(settings) as database, sole_server(database):
        made = await commands.make_demo_organization(database) if demo else Demo()
        try:
            from node import Node  # noqa: PLC0415 - needs the compiled plane, which the other commands do not
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("media.plane"):
                raise
            raise StartFailed("The data plane is not compiled. Run: make setup") from error
        node = Node(settings, database)
        stop = stop_signal()
        await node.start()
        gc.freeze()  # modules, models and routes live as long as the process: no collection need walk them again
        print(welcome(settings, node.http.port, made, empty=not await Accounts(database).exist()), flush=True)
        await stop.wait()
        logger.info("stopping")
        await node.drain()
        await node.stop()
    return 0


def parser() -> argparse.ArgumentParser:
    """Every command with its own --help."""
    root = argparse.ArgumentParser(
        prog="server.py",
        description="Huitang: meetings and consultations by video.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--config", type=Path, metavar="FILE", help="TOML file (else HUITANG_CONFIG)")
    root.set_defaults(run=serve, demo=False)
    listed = root.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        one = listed.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        one.set_defaults(run=run)
        return one

    one = add("serve", serve, "start the server (the default)")
    one.add_argument("--demo", action="store_true", help="with a demo organization where there is none yet")
    one = add("demo", commands.demo, "make the demo organization where there is none and print its log-ins")
    one.add_argument("--json", action="store_true", help="as JSON, for scripts")
    one = add(
        "import", commands.import_file, "read organizations, people, services and stations from CSV sheets"
    )
    one.description = f"{importing.__doc__}\n{consultations.__doc__}"
    one.formatter_class = argparse.RawDescriptionHelpFormatter
    one.add_argument("path", type=Path, metavar="FILE", help="a sheet, or a folder of them")
    one.add_argument("--dry-run", action="store_true", help="only say what would be done, and what is wrong")
    add("stations", commands.stations, "list the stations, and whether a key was made for each")
    one = add("station-key", commands.station_key, "make a device key for a station; earlier ones are void")
    one.add_argument("station", metavar="STATION", help="its name, or the id that `stations` lists")
    add("verify-cards", commands.verify_cards, "check the hash chain of every activity card")
    one = add("create-account", commands.create_account, "make a log-in; the password is asked for")
    one.add_argument("username", metavar="USERNAME", help="what is typed to sign in")
    one.add_argument("--name", required=True, help="the person's name")
    one.add_argument("--role", required=True, choices=[role.value for role in RoleName])
    one.add_argument(
        "--organization", required=True, metavar="NAME", help="name, code or id of the organization"
    )
    one.add_argument(
        "--new-department", action="store_true", help="make that organization, the tree's root, first"
    )
    one = add("reset-password", commands.reset_password, "set an account's password; its sessions end")
    one.add_argument("username", metavar="USERNAME", help="what is typed to sign in")
    add(
        "storage", commands.storage, "try the remote store that recordings are carried to, and say what waits"
    )
    one = add(
        "recordings", recording_commands.list_recordings, "list recordings, check their films, make one anew"
    )
    _add_recordings(one)
    add(
        "compose",
        recording_commands.compose,
        "make films and nothing else, beside a server elsewhere with the same records and recordings",
    )
    add("migrate", commands.migrate, "bring the database up to date (serve does it too)")
    return root


def _add_recordings(one: argparse.ArgumentParser) -> None:
    actions = one.add_subparsers(title="actions", metavar="ACTION")

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        action.set_defaults(run=run)
        return action

    add(
        "list",
        recording_commands.list_recordings,
        "state, reason, size and meeting of every recording (the default)",
    )
    add(
        "check",
        recording_commands.check_recordings,
        "play some of every film and name what is broken; files of no recording, and temporary ones",
    )
    again = add(
        "recompose",
        recording_commands.recompose,
        "have a film made anew from what was captured, by the server that runs or is started next",
    )
    again.add_argument("id", metavar="ID", help="as `recordings list` shows it")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit code."""
    arguments = parser().parse_args(argv)
    try:
        settings = config.load(arguments.config)
        logs.configure(settings.log.level, settings.log.format)
        for name, meant in config.unknown_variables().items():
            logger.warning("unknown_setting", name=name, did_you_mean=meant)
        command: Command = arguments.run
        return uvloop.run(command(settings, arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except (config.ConfigurationError, StartFailed, ListenError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
