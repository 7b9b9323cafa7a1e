"""Finds every model by name, so that the foundation need not import what stands upon it."""

import importlib
import pkgutil
from typing import Final

from sqlalchemy import MetaData

from database.base import Base

PACKAGES: Final = ("members", "rooms", "recordings")


def load_models() -> MetaData:
    """Import every module called `models` in the packages that keep records; answers the whole metadata."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}.", onerror=_raise):
            if found.name.rpartition(".")[2] == "models":
                importlib.import_module(found.name)
    return Base.metadata


def _raise(_name: str) -> None:
    """Let a package that cannot be imported be seen: the default is to leave its tables out in silence."""
    raise  # noqa: PLE0704 - called by walk_packages inside its except clause
