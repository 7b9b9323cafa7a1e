"""Services, stations and tickets over HTTP: for people signed in, for paired screens, for guests with a ticket."""

import pytest

from database import new_id
from rooms.consultations.models import Service, Station, StationService
from rooms.consultations.states import ServiceKind
from rooms.consultations.stations import hash_key
from tests.web.conftest import Answered, Caller, House, MakeHouse, Village
from web.services import WebSettings

KEY = "ABCD-EFGH-JKLM-NPQR"


@pytest.fixture
async def hall(house: House, village: Village) -> dict[str, str]:
    """A station with two of three services; their ids by name."""
    now = house.clock()
    organization = village.tree.committee.id
    ids = {name: new_id() for name in ("station", "medical", "legal", "farming")}
    async with house.database.transaction() as session:
        session.add(
            Station(
                id=ids["station"],
                organization_id=organization,
                name="便民服务中心",
                key_hash=hash_key(KEY),
                generation=1,
                created_at=now,
            )
        )
        for place, kind in enumerate((ServiceKind.MEDICAL, ServiceKind.LEGAL, ServiceKind.FARMING)):
            session.add(
                Service(
                    id=ids[kind.value],
                    organization_id=organization,
                    kind=kind,
                    name=kind.value,
                    place=place,
                    created_at=now,
                )
            )
        await session.flush()
        for offered in ("medical", "legal"):
            session.add(StationService(station_id=ids["station"], service_id=ids[offered]))
    return ids


async def take(caller: Caller, service_id: str, **more: object) -> Answered:
    return await caller.post("/api/consultations", {"serviceId": service_id, **more})


async def test_services_and_stations_are_public(house: House, hall: dict[str, str]) -> None:
    guest = house.caller()
    services = (await guest.get("/api/services")).body["items"]
    assert [one["kind"] for one in services] == ["medical", "legal", "farming"]
    assert set(services[0]) == {"id", "kind", "name", "expertsOnDuty", "waiting"}
    [station] = (await guest.get("/api/stations")).body["items"]
    assert station["id"] == hall["station"]
    assert set(station["services"]) == {hall["medical"], hall["legal"]}


async def test_a_guest_takes_a_ticket_and_only_its_token_opens_it(house: House, hall: dict[str, str]) -> None:
    guest = house.caller()
    taken = await take(guest, hall["medical"], displayName="王大爷")
    assert taken.status == 201, taken.body
    ticket = taken.body
    assert set(ticket) == {
        "id", "state", "number", "position", "expectedWaitSeconds", "service", "stationId", "expert", "createdAt",
        "startedAt", "endedAt", "endReason", "outcome", "rating", "roomToken", "ticketToken",
    }  # fmt: skip
    assert (ticket["state"], ticket["number"], ticket["position"]) == ("waiting", 1, 1)
    assert ticket["service"]["id"] == hall["medical"]
    path = f"/api/consultations/{ticket['id']}"
    token = ticket.pop("ticketToken")
    assert (await house.caller().get(path, token=token)).body == ticket
    assert (await house.caller().get(path)).code == "not_signed_in"
    for wrong in ("x", token[:-1], token + "x", "ü"):
        assert (await house.caller().get(path, token=wrong)).status == 401
    house.clock.advance(1)
    other = (await take(house.caller(), hall["medical"], displayName="李大妈")).body
    assert other["position"] == 2
    assert (await house.caller().get(path, token=other["ticketToken"])).status == 404
    cancelled = await guest.post(f"{path}/cancel", token=token)
    assert (cancelled.status, cancelled.body["state"]) == (200, "cancelled")
    early = await guest.post(f"{path}/rating", {"stars": 5}, token=token)
    assert early.status == 409


async def test_a_guest_needs_a_name(house: House, hall: dict[str, str]) -> None:
    refused = await take(house.caller(), hall["medical"])
    assert (refused.status, refused.code) == (422, "display_name_required")
    assert "displayName" in refused.body["error"]["details"]


async def test_a_resident_sees_the_own_ticket_and_nobody_elses(
    house: House, village: Village, hall: dict[str, str]
) -> None:
    taken = await take(village.resident, hall["legal"])
    assert taken.status == 201
    path = f"/api/consultations/{taken.body['id']}"
    assert (await village.resident.get(path)).status == 200
    for caller in (village.party_member, village.district, house.caller()):
        assert (await caller.get(path)).status in {401, 404}


async def test_where_guests_may_not_one_signs_in(
    make_house: MakeHouse, house: House, hall: dict[str, str]
) -> None:
    closed = await make_house(house.database, WebSettings(guests=False))
    guest = closed.caller()
    assert (await guest.get("/api/services")).code == "not_signed_in"
    assert (await take(guest, hall["medical"], displayName="王大爷")).code == "not_signed_in"
    resident = await closed.caller().sign_in(await house.records.account())
    assert (await take(resident, hall["medical"])).status == 201


async def test_guests_cannot_fill_the_queue(house: House, hall: dict[str, str]) -> None:
    answers = [await take(house.caller(), hall["medical"], displayName="王大爷") for _ in range(21)]
    assert [one.status for one in answers] == [201] * 20 + [429]
    assert answers[-1].code == "too_many_requests"
    assert int(answers[-1].headers["Retry-After"]) > 0


async def test_a_screen_is_paired_and_stays_a_station(house: House, hall: dict[str, str]) -> None:
    screen = house.caller()
    assert (await screen.get("/api/station-session")).code == "not_a_station"
    paired = await screen.post("/api/station-session", {"key": KEY.lower()})
    assert (paired.status, paired.body["name"]) == (200, "便民服务中心")
    assert "HttpOnly" in paired.headers["Set-Cookie"]
    assert (await screen.get("/api/station-session")).body == paired.body
    taken = await take(screen, hall["medical"], displayName="王大爷", stationId=hall["station"])
    assert (taken.status, taken.body["stationId"]) == (201, hall["station"])
    assert (await screen.get(f"/api/consultations/{taken.body['id']}")).status == 200
    absent = await take(screen, hall["farming"], displayName="王大爷", stationId=hall["station"])
    assert absent.code == "service_not_at_station"
    assert (await screen("DELETE", "/api/station-session")).status == 204
    assert (await screen.get("/api/station-session")).code == "not_a_station"


async def test_a_new_key_puts_the_paired_screens_out(
    house: House, village: Village, hall: dict[str, str]
) -> None:
    screen = house.caller()
    await screen.post("/api/station-session", {"key": KEY})
    path = f"/api/stations/{hall['station']}/key"
    assert (await village.party_member.post(path)).status in {403, 404}
    renewed = await village.committee.post(path)
    assert renewed.status == 200
    assert (await screen.get("/api/station-session")).code == "not_a_station"
    assert (await screen.post("/api/station-session", {"key": KEY})).code == "station_key_invalid"
    assert (await screen.post("/api/station-session", {"key": renewed.body["key"]})).status == 200


async def test_guessing_keys_is_slow(house: House) -> None:
    answers = [await house.caller().post("/api/station-session", {"key": f"key {n}"}) for n in range(11)]
    assert [one.status for one in answers] == [401] * 10 + [429]


async def test_a_network_of_addresses_guesses_as_one(
    make_house: MakeHouse, house: House, hall: dict[str, str]
) -> None:
    """One line has 2^64 IPv6 addresses; whoever changes his at each request is still one guesser."""
    proxied = await make_house(house.database, WebSettings(trusted_proxies=("127.0.0.1",)))
    stranger = proxied.caller()

    async def guess(address: str) -> int:
        headers = {"X-Forwarded-For": address}
        return (await stranger.post("/api/station-session", {"key": "x"}, headers=headers)).status

    assert [await guess(f"2001:db8::{n:x}") for n in range(11)] == [401] * 10 + [429]
    assert await guess("2001:db8:0:1::1") == 401
    ticket = {"serviceId": hall["medical"], "displayName": "王大爷"}
    headers = [{"X-Forwarded-For": f"2001:db8::{n:x}"} for n in range(21)]
    taken = [await stranger.post("/api/consultations", ticket, headers=one) for one in headers]
    assert [one.status for one in taken] == [201] * 20 + [429]


@pytest.mark.parametrize("stars", [0, 6, -1, 4.5, "5", None])
async def test_stars_are_one_to_five(house: House, hall: dict[str, str], stars: object) -> None:
    ticket = (await take(house.caller(), hall["medical"], displayName="王大爷")).body
    path = f"/api/consultations/{ticket['id']}/rating"
    refused = await house.caller().post(path, {"stars": stars}, token=ticket["ticketToken"])
    assert (refused.status, set(refused.body["error"]["details"])) == (422, {"stars"})
