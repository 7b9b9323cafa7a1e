"""`Members`: the registers, as far as one may see."""

from database import Database, Page, PageRequest
from errors import Kind, Problem
from members.organizations import repository as organizations
from members.people import repository
from members.people.views import MemberView
from members.policy import Action, Actor, Subject, require, scope


class Members:
    """Reads the registers for the edges."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def in_organization(
        self, actor: Actor, organization_id: str, request: PageRequest | None = None, name: str | None = None
    ) -> Page[MemberView]:
        """The register of an organization and all below it, by name, a page at a time; of those called `name`."""
        async with self._database.reading() as session:
            organization = await organizations.get(session, organization_id)
            if organization is None:
                raise Problem(Kind.NOT_FOUND, "not_found")
            require(actor, Action.SEE_MEMBERS, Subject(organization_path=organization.path))
            page = await repository.page_of_organization(
                session, organization, request or PageRequest(), name
            )
            return page.map(MemberView.of)

    async def called(self, actor: Actor, name: str, request: PageRequest | None = None) -> Page[MemberView]:
        """Everybody one may see whose name has `name`; a test holds it to SEE_MEMBER."""
        reach = scope(actor, Action.SEE_MEMBERS)
        async with self._database.reading() as session:
            page = await repository.page_called(
                session, reach, actor.member_id, request or PageRequest(), name
            )
            return page.map(MemberView.of)

    async def get(self, actor: Actor, member_id: str) -> MemberView:
        """One member; Problem not_found when absent or not to be known of."""
        async with self._database.reading() as session:
            member = await repository.get(session, member_id)
            if member is None:
                raise Problem(Kind.NOT_FOUND, "not_found")
            require(actor, Action.SEE_MEMBER, repository.subject_of(member))
            return MemberView.of(member)

    async def me(self, actor: Actor) -> MemberView:
        """The member behind the log-in; Problem not_found for a log-in without one."""
        if actor.member_id is None:
            raise Problem(Kind.NOT_FOUND, "not_found")
        return await self.get(actor, actor.member_id)
