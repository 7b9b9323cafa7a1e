"""One person at the HTTP API of a server that runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Signed in; the session outlives the server's process, so a caller is good for several of them at one URL."""

    http: ClientSession
    url: str
    member_id: str
    organization_id: str
    cookie: str

    @classmethod
    async def sign_in(cls, http: ClientSession, url: str, login: Mapping[str, str]) -> "Caller":
        """`login` is one of those that `demo --json` prints; `http` must keep no cookies."""
        credentials = {"username": login["username"], "password": login["password"]}
        async with http.post(f"{url}/api/session", json=credentials, headers={"Origin": url}) as answer:
            assert answer.status == 200, await answer.text()
            cookie = f"huitang_session={answer.cookies['huitang_session'].value}"
        return cls(http, url, login["memberId"], login["organizationId"], cookie)

    @property
    def headers(self) -> dict[str, str]:
        """Of a connection of this person's."""
        return {"Cookie": self.cookie, "Origin": self.url}

    async def get(self, path: str, **query: str) -> Json:
        """What the API answers."""
        async with self.http.get(f"{self.url}/api{path}", params=query, headers=self.headers) as answer:
            assert answer.ok, await answer.text()
            result: Json = await answer.json()
            return result

    async def post(self, path: str, body: Json) -> Json:
        """What the API answers."""
        async with self.http.post(f"{self.url}/api{path}", json=body, headers=self.headers) as answer:
            assert answer.ok, await answer.text()
            result: Json = await answer.json()
            return result

    async def download(self, path: str) -> bytes:
        """A file."""
        async with self.http.get(f"{self.url}/api{path}", headers=self.headers) as answer:
            assert answer.ok, await answer.text()
            return await answer.read()
