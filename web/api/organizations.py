"""The tree and its members."""

from members.policy import LEVELS, Actor, Level
from web.api.call import Asked, Nothing
from web.api.paging import cut, page_out, page_request
from web.api.schemas.base import Page
from web.api.schemas.organizations import MemberOut, MembersQuery, OrganizationOut, OrganizationsQuery


async def organizations(asked: Asked[OrganizationsQuery]) -> Page[OrganizationOut]:
    """The part of the tree one may see, parents before children."""
    visible = await asked.services.organizations.visible_to(asked.caller.person)
    wanted = [one for one in visible if asked.input.parent_id in {None, one.parent_id}]
    return cut([OrganizationOut.model_validate(one) for one in wanted], asked.input)


async def organization(asked: Asked[Nothing]) -> OrganizationOut:
    """One organization."""
    found = await asked.services.organizations.get(asked.caller.person, asked.path("organizationId"))
    return OrganizationOut.model_validate(found)


async def members(asked: Asked[MembersQuery]) -> Page[MemberOut]:
    """A register, by name; without an organization, that of one's own, or everybody one may see who is called so."""
    actor, wanted = asked.caller.person, asked.input
    people, request = asked.services.members, page_request(wanted)
    if wanted.organization_id is None and wanted.query:
        return page_out(await people.called(actor, wanted.query, request), MemberOut)
    organization_id = wanted.organization_id or _own_organization(actor)
    if organization_id is None:
        return Page(items=[])
    page = await people.in_organization(actor, organization_id, request, wanted.query or None)
    return page_out(page, MemberOut)


async def member(asked: Asked[Nothing]) -> MemberOut:
    """One member."""
    found = await asked.services.members.get(asked.caller.person, asked.path("memberId"))
    return MemberOut.model_validate(found)


async def me(asked: Asked[Nothing]) -> MemberOut:
    """The member behind the account."""
    return MemberOut.model_validate(await asked.services.members.me(asked.caller.person))


def _own_organization(actor: Actor) -> str | None:
    """Where the furthest-reaching office is held, else the home branch."""
    offices = [held for held in actor.roles if LEVELS.get(held.role, Level.RESIDENT) <= Level.BRANCH]
    if offices:
        return min(offices, key=lambda held: LEVELS[held.role]).organization_id
    return actor.home_organization_id
