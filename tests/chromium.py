"""The system's Chromium as all tests start it, with a fake camera and a fake microphone.

It is the headless shell: all of Chromium that a page can meet, without the window around the page, which costs a fifth
of the processor and shows nothing to a test.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.patience import PATIENCE_SECONDS

CHROMIUM = "/usr/bin/chromium-headless-shell"
# What a person has allowed a page: else it is told no address but the one of the default route, if there is one.
ALLOWED = ["camera", "microphone"]

# What Playwright switches off, because the last list counts alone, and what takes more than a second of the processor
# for each window and shows nothing to a test: a process for the next window.
FEATURES_OFF = [
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
    "SpareRendererForSitePerProcess",
]  # fmt: skip

FLAGS = [
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    f"--disable-features={','.join(FEATURES_OFF)}",
]


@asynccontextmanager
async def launched(*flags: str, executable: str = CHROMIUM) -> AsyncIterator[Browser]:
    """One without a window, for as long as the block lasts."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=[*FLAGS, *flags], timeout=1000 * PATIENCE_SECONDS
        )
        yield browser
        await browser.close()
