"""`Organizations`: the tree, as far as one may see."""

from typing import Final

from database import Clock, Database, utc_now
from errors import Kind, Problem
from members.organizations import repository
from members.organizations.models import CODE_LENGTH, OrganizationKind
from members.organizations.views import OrganizationView
from members.policy import Action, Actor, Subject, require, scope

DEFAULT_TIMEZONE: Final = "Asia/Shanghai"


class Organizations:
    """Reads the tree for the edges; lets an operator plant it."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def visible_to(self, actor: Actor) -> list[OrganizationView]:
        """The part of the tree that one may see, parents before children."""
        async with self._database.reading() as session:
            rows = await repository.in_tree_order(session, scope(actor, Action.SEE_ORGANIZATION))
            return [OrganizationView.of(row) for row in rows]

    async def get(self, actor: Actor, organization_id: str) -> OrganizationView:
        """One organization; Problem not_found when absent or not to be known of."""
        async with self._database.reading() as session:
            row = await repository.get(session, organization_id)
        if row is None:
            raise Problem(Kind.NOT_FOUND, "not_found")
        require(actor, Action.SEE_ORGANIZATION, Subject(organization_path=row.path))
        return OrganizationView.of(row)

    async def find(self, text: str) -> OrganizationView:
        """For the command line: the one organization with this id, code or name.

        Problem unknown_organization when there is none, ambiguous_organization when a name is borne by several.
        """
        async with self._database.reading() as session:
            found = await repository.called(session, text)
        if not found:
            raise Problem(Kind.NOT_FOUND, "unknown_organization")
        if len(found) > 1:
            raise Problem(Kind.CONFLICT, "ambiguous_organization", {"ids": [row.id for row in found]})
        return OrganizationView.of(found[0])

    async def add_department(self, name: str, timezone: str = DEFAULT_TIMEZONE) -> OrganizationView:
        """For the command line: a new root of the tree. Its code, by which imports refer to it, is its name.

        Problem organization_exists when another organization has that code.
        """
        code = name[:CODE_LENGTH]
        async with self._database.transaction() as session:
            if any(row.code == code for row in await repository.called(session, code)):
                raise Problem(Kind.CONFLICT, "organization_exists")
            row = repository.add(
                session,
                parent=None,
                kind=OrganizationKind.DEPARTMENT,
                name=name,
                timezone=timezone,
                created_at=self._clock(),
                code=code,
            )
        return OrganizationView.of(row)
