"""Every query about members. The caller has the session and has asked the policy."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from database import Page, PageRequest, SortKey, fetch_page, new_id
from members.organizations.models import Organization, OrganizationKind
from members.organizations.repository import in_scope, in_subtree
from members.people.models import Member, Post, Standing
from members.people.views import Flowing
from members.policy import Scope, Subject


def _members() -> Select[Member]:
    return select(Member).options(joinedload(Member.organization), joinedload(Member.guest_organization))


async def get(session: AsyncSession, member_id: str) -> Member | None:
    """One member with both organizations loaded."""
    return (await session.scalars(_members().where(Member.id == member_id))).one_or_none()


async def get_many(session: AsyncSession, ids: Iterable[str]) -> dict[str, Member]:
    """Members by id with both organizations loaded, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    return {row.id: row for row in await session.scalars(_members().where(Member.id.in_(wanted)))}


async def page_of_organization(
    session: AsyncSession, organization: Organization, request: PageRequest, name: str | None = None
) -> Page[Member]:
    """The register of an organization and all below it, or of a group, by name; of those called so."""
    return await _page(session, _on_register_of(organization), request, name)


async def page_called(
    session: AsyncSession, reach: Scope, own_id: str | None, request: PageRequest, name: str
) -> Page[Member]:
    """Who is called so, by name, of the members and guests of the organizations in reach, and oneself."""
    reached = select(Organization.id).where(in_scope(Organization.path, reach))
    among = or_(
        Member.organization_id.in_(reached),
        Member.guest_organization_id.in_(reached),
        Member.id == own_id,
    )
    return await _page(session, among, request, name)


async def _page(
    session: AsyncSession, among: ColumnElement[bool], request: PageRequest, name: str | None
) -> Page[Member]:
    query = _members().where(among)
    if name is not None:
        query = query.where(Member.name.contains(name, autoescape=True))
    return await fetch_page(session, query, [SortKey(Member.name), SortKey(Member.id)], request)


async def of_organization(
    session: AsyncSession, organization: Organization, *, guests: bool = True
) -> Sequence[Member]:
    """Everybody expected where an organization meets: its members and (unless told not to) its guests.

    For a branch its register; for a group its own; for a superior organization the whole subtree.
    """
    condition = _on_register_of(organization)
    if guests and organization.kind is not OrganizationKind.GROUP:
        visited = select(Organization.id).where(in_subtree(Organization.path, organization.path))
        condition = or_(condition, Member.guest_organization_id.in_(visited))
    return (await session.scalars(_members().where(condition).order_by(Member.name, Member.id))).all()


async def of_committee(session: AsyncSession, organization: Organization) -> Sequence[Member]:
    """The branch committee (支委会): the members of this very organization who hold a post."""
    query = _members().where(Member.organization_id == organization.id, Member.post.is_not(None))
    return (await session.scalars(query.order_by(Member.name, Member.id))).all()


def _on_register_of(organization: Organization) -> ColumnElement[bool]:
    if organization.kind is OrganizationKind.GROUP:
        return Member.group_id == organization.id
    below = select(Organization.id).where(in_subtree(Organization.path, organization.path))
    return Member.organization_id.in_(below)


def add(
    session: AsyncSession,
    *,
    organization_id: str,
    name: str,
    standing: Standing,
    created_at: datetime,
    post: Post | None = None,
    group_id: str | None = None,
    guest_organization_id: str | None = None,
    flowing: Flowing | None = None,
    code: str | None = None,
) -> Member:
    """A new member on the register of a branch."""
    member = Member(
        id=new_id(),
        organization_id=organization_id,
        group_id=group_id,
        guest_organization_id=guest_organization_id,
        name=name,
        code=code,
        standing=standing,
        post=post,
        flowing_place=flowing.place if flowing else None,
        flowing_timezone=flowing.timezone if flowing else None,
        created_at=created_at,
    )
    session.add(member)
    return member


def subject_of(member: Member) -> Subject:
    """The member as the policy sees one; both organizations must be loaded."""
    guest = member.guest_organization
    return Subject(
        organization_path=member.organization.path,
        member_id=member.id,
        guest_path=guest.path if guest else None,
    )
