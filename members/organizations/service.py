"""`Organizations`: the tree, as far as one may see."""

from database import Database
from errors import Kind, Problem
from members.organizations import repository
from members.organizations.views import OrganizationView
from members.policy import Action, Actor, Subject, require, scope


class Organizations:
    """Reads the tree for the edges."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
