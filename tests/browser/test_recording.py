"""A recorded meeting: the film holds everybody's picture and voice, and who watches it has made up the absence."""

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.browser.conftest import Arrive
from tests.browser.film import Colour, colour_shares, duration, tone_strengths
from tests.browser.person import Person, until

SIGNALS = Path(__file__).with_name("signals.js")
COLOURS: dict[str, Colour] = {"liuxi": (200, 40, 40), "xiulan": (40, 160, 60), "deshun": (50, 70, 200)}
TONES = {"liuxi": 440, "xiulan": 700, "deshun": 1130}
# All three are on camera together for so long.
TOGETHER_SECONDS = 3


async def arrive_with_signal(arrive: Arrive, username: str) -> Person:
    """That person, with a colour before the camera and a tone before the microphone."""
    person = await arrive(username)
    red, green, blue = COLOURS[username]
    signal = f"{{ colour: 'rgb({red} {green} {blue})', hertz: {TONES[username]} }}"
    await person.context.add_init_script(f"window.signal = {signal}")
    await person.context.add_init_script(path=SIGNALS)
    return person


async def test_the_film_holds_all_three_and_watching_it_makes_up_an_absence(
    arrive: Arrive, tmp_path: Path
) -> None:
    people = [await arrive_with_signal(arrive, username) for username in COLOURS]
    secretary = people[0]
    meeting = await secretary.schedule("录制与补学", record=True)
    for person in people:  # from the first who enters on, everything takes its time in the film
        await person.approach(meeting)
    for person in people:
        await person.enter()
    await asyncio.gather(*(person.sees_and_hears(2) for person in people))
    await expect(secretary.page.get_by_test_id("recording-sign")).to_be_visible()
    await asyncio.sleep(TOGETHER_SECONDS)  # the film's length is what is tested
    await secretary.page.get_by_test_id("leave").click()
    await secretary.page.get_by_test_id("end-meeting").click()
    await expect(secretary.page.get_by_test_id("end-screen")).to_have_attribute("data-ending", "ended")

    absent = await arrive("xiaohe")
    await absent.page.goto(f"{absent.server.url}/meetings/{meeting}")
    player = absent.page.get_by_test_id("player")
    await player.wait_for()

    film = tmp_path / "film.mp4"
    film.write_bytes(await download(absent, meeting))
    length = duration(film)
    last_together = length - TOGETHER_SECONDS / 2
    shares = colour_shares(film, last_together, COLOURS)
    assert all(share > 0.05 for share in shares.values()), shares
    strengths = tone_strengths(film, last_together - 1, 2, TONES)
    assert all(strength > 30 for strength in strengths.values()), strengths

    await player.evaluate("video => { video.muted = true; video.playbackRate = 2; return video.play() }")
    coverage = absent.page.get_by_test_id("coverage")

    async def studied() -> bool:
        return float(await coverage.get_attribute("data-share") or 0) >= 0.9

    await until(studied, lambda: "the whole film was watched")
    row = absent.page.get_by_test_id("attendance-row").filter(has_text=absent.login.name)
    await expect(row).to_have_attribute("data-state", "made_up")
    await absent.page.goto(f"{absent.server.url}/card")
    await expect(absent.page.get_by_test_id("card-entry").first).to_have_attribute(
        "data-kind", "recording_studied"
    )


async def download(person: Person, meeting: str) -> bytes:
    """The film, as the player gets it."""
    recording = (await person.get(f"/meetings/{meeting}"))["recordingId"]
    answer = await person.page.request.get(f"{person.server.url}/api/recordings/{recording}/media")
    assert answer.ok
    return await answer.body()
