"""People at every position of a small tree and a consultation between two of them, for tests of the policy."""

from dataclasses import replace

from members.policy import Actor, GuestActor, HeldRole, Principal, RoleName, StationActor, Subject

ROOT = "/d/"
COMMITTEE = "/d/c/"
BRANCH = "/d/c/b/"
GROUP = "/d/c/b/g/"
SIBLING = "/d/c/s/"
OTHER_COMMITTEE = "/d/o/"
COUSIN = "/d/o/x/"
PREFIX_TWIN = "/d/c/b2/"  # whose id begins with another's; a path is more than its text's beginning
TREE = (ROOT, COMMITTEE, BRANCH, GROUP, SIBLING, PREFIX_TWIN, OTHER_COMMITTEE, COUSIN)


def actor(
    *roles: tuple[RoleName, str],
    account: str = "account",
    member: str | None = None,
    home: str | None = None,
    guest: str | None = None,
) -> Actor:
    return Actor(
        account_id=account,
        name="某人",
        roles=tuple(HeldRole(role, path.split("/")[-2], path) for role, path in roles),
        member_id=member,
        home_organization_id=home.split("/")[-2] if home else None,
        home_path=home,
        guest_organization_id=guest.split("/")[-2] if guest else None,
        guest_path=guest,
    )


DISTRICT = actor((RoleName.DISTRICT_OFFICER, ROOT))
COMMITTEE_OFFICER = actor((RoleName.COMMITTEE_OFFICER, COMMITTEE))
SECRETARY = actor((RoleName.SECRETARY, BRANCH), (RoleName.MEMBER, BRANCH), member="secretary", home=BRANCH)
BRANCH_OFFICER = actor(
    (RoleName.BRANCH_OFFICER, BRANCH), (RoleName.MEMBER, BRANCH), member="officer", home=BRANCH
)
MEMBER = actor((RoleName.MEMBER, BRANCH), member="member", home=BRANCH)
GUEST_MEMBER = actor((RoleName.MEMBER, COUSIN), member="flowing", home=COUSIN, guest=BRANCH)
EXPERT = actor((RoleName.EXPERT, ROOT), account="expert")
RESIDENT = actor((RoleName.RESIDENT, ROOT), account="resident")
STRANGER = actor(account="stranger")

EVERYBODY: dict[str, Principal | None] = {
    "district": DISTRICT,
    "committee": COMMITTEE_OFFICER,
    "secretary": SECRETARY,
    "branch officer": BRANCH_OFFICER,
    "member": MEMBER,
    "guest member": GUEST_MEMBER,
    "expert": EXPERT,
    "resident": RESIDENT,
    "no role": STRANGER,
    "station": StationActor("screen", "b", BRANCH),
    "guest": GuestActor("ticket", "访客"),
    "guest without ticket": GuestActor(None, "访客"),
    "nobody": None,
}

SERVICE = Subject(organization_path=ROOT, expert_account_ids=frozenset({"expert"}))
TICKET = replace(SERVICE, owner_account_id="resident", consultation_id="ticket", station_id="screen")
