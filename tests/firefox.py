"""The system's Firefox as tests start it, with a fake camera and a fake microphone."""

import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, async_playwright

from tests.patience import PATIENCE_SECONDS

FIREFOX = Path("/usr/bin/firefox-esr")
RELAY = Path(__file__).with_name("firefox_relay.py")

PREFERENCES: dict[str, str | float | bool] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,  # for machines without any network
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,  # sound plays without a touch
    "ui.prefersReducedMotion": 1,
}


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """One without a window, for as long as the block lasts; Playwright drives it by WebDriver BiDi."""
    with TemporaryDirectory() as folder:
        program = Path(folder, "firefox")  # Playwright takes a program without arguments
        program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(RELAY), str(FIREFOX)])} "$@"\n')
        program.chmod(0o755)
        async with async_playwright() as playwright:
            browser = await playwright.firefox.launch(
                channel="moz-firefox",
                executable_path=program,
                firefox_user_prefs=PREFERENCES,
                timeout=1000 * PATIENCE_SECONDS,
            )
            yield browser
            await browser.close()
