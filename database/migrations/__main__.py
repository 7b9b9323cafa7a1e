"""`python -m database.migrations new "message"`: write the difference of models and migrations as a revision."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from database.engine import parse_url
from database.migrations.runner import migrate, write_revision


async def _new(message: str) -> Path:
    """Against an empty SQLite database brought up to date, so nobody's records are touched."""
    with tempfile.TemporaryDirectory() as folder:
        url = parse_url(f"sqlite:///{folder}/models.sqlite3")
        await migrate(url)
        return await write_revision(url, message)


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(
        prog="python -m database.migrations", description="Write database migrations."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("new", help="write the difference of models and migrations as a new revision")
    new.add_argument("message", help="what changes, in a few words")
    arguments = parser.parse_args()
    path = asyncio.run(_new(arguments.message))
    print(f"Wrote {path}. Read and correct it: Alembic sees no triggers, renamed columns or moved data.")  # noqa: T201


if __name__ == "__main__":
    main()
