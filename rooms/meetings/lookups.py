"""What a request names, found: the same refusal for what is absent and for what one may not know of."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from errors import Kind, Problem
from members.organizations import Organization
from members.organizations import repository as organizations
from members.people import Member
from members.people import repository as people
from members.policy import Action, Actor, Subject, may, require


async def visible_organization(session: AsyncSession, actor: Actor, organization_id: str) -> Organization:
    """The organization; Problem not_found."""
    organization = await organizations.get(session, organization_id)
    if organization is None or not may(
        actor, Action.SEE_ORGANIZATION, Subject(organization_path=organization.path)
    ):
        raise Problem(Kind.NOT_FOUND, "not_found", {"field": "organizationId"})
    return organization


async def require_invitable(
    session: AsyncSession, actor: Actor, own: Organization, organization_ids: Collection[str]
) -> None:
    """Further organizations beside one's `own`, in one query.

    Problems: not_found when one of them is absent or not to be known of; forbidden when one lies above and is not the
    actor's to call together, as a branch cannot summon the whole district by naming it.
    """
    found = await organizations.get_many(session, organization_ids)
    seen = all(
        may(actor, Action.SEE_ORGANIZATION, Subject(organization_path=organization.path))
        for organization in found.values()
    )
    if not seen or len(found) < len(set(organization_ids)):
        raise Problem(Kind.NOT_FOUND, "not_found", {"field": "organizationIds"})
    for organization in found.values():
        if own.path.startswith(organization.path):
            require(actor, Action.SCHEDULE_MEETING, Subject(organization_path=organization.path))


async def visible_members(
    session: AsyncSession, actor: Actor, member_ids: tuple[str, ...], field: str = "memberIds"
) -> dict[str, Member]:
    """The members, in one query; Problem not_found, of that field, when one of them is absent."""
    found = await people.get_many(session, member_ids)
    seen = all(may(actor, Action.SEE_MEMBER, people.subject_of(member)) for member in found.values())
    if not seen or len(found) < len(set(member_ids)):
        raise Problem(Kind.NOT_FOUND, "not_found", {"field": field})
    return found
