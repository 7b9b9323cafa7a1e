import pytest

from database import Database, PageRequest
from errors import Kind, Problem
from members.organizations import OrganizationKind, Organizations
from members.people import Flowing, Members, Post
from members.people import repository as people
from members.policy import Action, RoleName, may
from tests.factories import Records


async def test_one_sees_the_own_part_of_the_tree_parents_first(database: Database, records: Records) -> None:
    tree = await records.tree()
    service = Organizations(database)
    member = await records.member(tree.branch)
    rows = (
        (await records.actor((RoleName.DISTRICT_OFFICER, tree.department)), 7),
        (await records.actor((RoleName.COMMITTEE_OFFICER, tree.committee)), 5),  # with the department above
        (await records.actor(member=member), 4),  # department, committee, branch, group
        (await records.actor((RoleName.RESIDENT, tree.department)), 1),
        (await records.actor(), 0),
    )
    for actor, expected in rows:
        seen = await service.visible_to(actor)
        assert len(seen) == expected
        ids = [view.id for view in seen]
        assert all(view.parent_id is None or view.parent_id in ids[: ids.index(view.id)] for view in seen)


async def test_an_organization_elsewhere_is_as_if_it_were_not(database: Database, records: Records) -> None:
    tree = await records.tree()
    service = Organizations(database)
    actor = await records.actor((RoleName.SECRETARY, tree.branch))
    assert (await service.get(actor, tree.group.id)).name == tree.group.name
    for absent in (tree.cousin.id, "f" * 32):
        with pytest.raises(Problem) as caught:
            await service.get(actor, absent)
        assert (caught.value.kind, caught.value.code) == (Kind.NOT_FOUND, "not_found")


async def test_a_register_comes_by_name_a_page_at_a_time(database: Database, records: Records) -> None:
    tree = await records.tree()
    for name in ("丙", "甲", "乙"):
        await records.member(tree.branch, name, group=tree.group if name == "甲" else None)
    await records.member(tree.sibling, "丁")
    service = Members(database)
    actor = await records.actor((RoleName.COMMITTEE_OFFICER, tree.committee))
    first = await service.in_organization(actor, tree.branch.id, PageRequest(2))
    rest = await service.in_organization(actor, tree.branch.id, PageRequest(2, first.next_cursor))
    names = [view.name for view in first.items + rest.items]
    assert names == sorted(["甲", "乙", "丙"])
    assert rest.next_cursor is None
    assert len((await service.in_organization(actor, tree.committee.id)).items) == 4
    assert [view.name for view in (await service.in_organization(actor, tree.group.id)).items] == ["甲"]


async def test_a_member_reads_the_own_register_and_no_other(database: Database, records: Records) -> None:
    tree = await records.tree()
    actor = await records.actor(member=await records.member(tree.branch))
    service = Members(database)
    assert len((await service.in_organization(actor, tree.branch.id)).items) == 1
    for organization, kind in ((tree.committee, Kind.FORBIDDEN), (tree.sibling, Kind.NOT_FOUND)):
        with pytest.raises(Problem) as caught:
            await service.in_organization(actor, organization.id)
        assert caught.value.kind is kind
    with pytest.raises(Problem, match="not_found"):
        await service.in_organization(actor, "f" * 32)


async def test_people_are_found_by_name_as_far_as_one_may_see_them(
    database: Database, records: Records
) -> None:
    tree = await records.tree()
    service = Members(database)
    places = {
        "王秀英": (tree.branch, None), "王建国": (tree.sibling, None), "王海波": (tree.cousin, None),
        "王雨桐": (tree.cousin, tree.branch), "李秀英": (tree.branch, None),
    }  # fmt: skip
    rows = {name: await records.member(home, name, guest_of=guest) for name, (home, guest) in places.items()}
    actors = {
        "district": await records.actor((RoleName.DISTRICT_OFFICER, tree.department)),
        "committee": await records.actor((RoleName.COMMITTEE_OFFICER, tree.committee)),
        "secretary": await records.actor((RoleName.SECRETARY, tree.branch)),
        "member": await records.actor(member=rows["李秀英"]),
        "guest": await records.actor(member=rows["王雨桐"]),
        "resident": await records.actor((RoleName.RESIDENT, tree.branch)),
    }
    for who, actor in actors.items():
        expected = {
            name for name, row in rows.items()
            if "王" in name and may(actor, Action.SEE_MEMBER, people.subject_of(row))
        }  # fmt: skip
        first = await service.called(actor, "王", PageRequest(1))
        rest = await service.called(actor, "王", PageRequest(cursor=first.next_cursor)) if expected else first
        assert {view.name for view in first.items + rest.items} == expected, who
        assert len(expected) == {"district": 4, "committee": 3, "secretary": 2, "member": 2, "guest": 3}.get(
            who, 0
        )
    assert [view.name for view in (await service.called(actors["district"], "秀英")).items] == [
        "李秀英", "王秀英",
    ]  # fmt: skip
    assert (await service.called(actors["district"], "%")).items == [], "no pattern"
    within = await service.in_organization(actors["committee"], tree.sibling.id, name="王")
    assert [view.name for view in within.items] == ["王建国"]


async def test_oneself_with_place_and_zone(database: Database, records: Records) -> None:
    tree = await records.tree()
    london = Flowing("英国伦敦", "Europe/London")
    member = await records.member(tree.cousin, "陈雨桐", flowing=london, guest_of=tree.branch)
    actor = await records.actor(member=member)
    view = await Members(database).me(actor)
    assert (view.name, view.flowing, view.organization_name) == ("陈雨桐", london, tree.cousin.name)
    assert view.guest_organization_id == tree.branch.id
    with pytest.raises(Problem, match="not_found"):
        await Members(database).me(await records.actor())


async def test_who_is_expected_where(database: Database, records: Records) -> None:
    tree = await records.tree()
    secretary = await records.member(tree.branch, "书记", post=Post.SECRETARY)
    grouped = await records.member(tree.branch, "组员", group=tree.group)
    guest = await records.member(tree.cousin, "流动", guest_of=tree.branch)
    sibling = await records.member(tree.sibling, "邻支部", post=Post.SECRETARY)
    async with database.reading() as session:
        expected = {
            "branch": await people.of_organization(session, tree.branch),
            "branch without guests": await people.of_organization(session, tree.branch, guests=False),
            "group": await people.of_organization(session, tree.group),
            "committee": await people.of_organization(session, tree.committee),
            "branch committee": await people.of_committee(session, tree.branch),
        }
    assert {where: {member.id for member in found} for where, found in expected.items()} == {
        "branch": {secretary.id, grouped.id, guest.id},
        "branch without guests": {secretary.id, grouped.id},
        "group": {grouped.id},
        "committee": {secretary.id, grouped.id, guest.id, sibling.id},
        "branch committee": {secretary.id},
    }


async def test_an_operator_plants_a_tree_and_finds_by_name_or_id(
    database: Database, records: Records
) -> None:
    service = Organizations(database)
    department = await service.add_department("青河区委组织部")
    assert (department.kind, department.path) == (OrganizationKind.DEPARTMENT, f"/{department.id}/")
    assert await service.find(department.id) == department == await service.find("青河区委组织部")
    with pytest.raises(Problem, match="organization_exists"):
        await service.add_department("青河区委组织部")
    with pytest.raises(Problem, match="unknown_organization"):
        await service.find("没有")
    await records.organization(name="同名")
    await records.organization(name="同名")
    with pytest.raises(Problem, match="ambiguous_organization"):
        await service.find("同名")
