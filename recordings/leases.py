"""Holds the claim on a job while it is worked on, and ends the work where the claim cannot be held.

Whoever has it may wait for a slow line or another process for longer than a lease lasts: the clock renews it,
whatever is waited for.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

# So much of the lease may pass without a word from the database; in the rest the work ends.
_HELD_SHARE: Final = 0.75


class ClaimLost(Exception):  # noqa: N818 - the claim is
    """Somebody else has taken the job meanwhile, or it is not wanted any more."""


@contextlib.asynccontextmanager
async def held(
    lease_seconds: float, every_seconds: float, renew: Callable[[], Awaitable[bool]]
) -> AsyncIterator[None]:
    """Renew the lease so often while what is inside goes on; `renew` answers False where the database is away.

    What `renew` raises ends what is inside at once, and is raised in its place. So is ClaimLost where the lease would
    end before the database answers: two must not do the same work.
    """
    inside = asyncio.current_task()
    ended: Exception | None = None
    loop = asyncio.get_running_loop()
    bearable = lease_seconds * _HELD_SHARE

    def stop(reason: Exception) -> None:
        nonlocal ended
        if ended is None and inside is not None and inside.cancel():
            ended = reason

    async def keep() -> None:
        end = loop.call_later(bearable, stop, ClaimLost())
        try:
            while True:
                asked = loop.time()
                if await renew():
                    end.cancel()
                    end = loop.call_at(asked + bearable, stop, ClaimLost())
                await asyncio.sleep(every_seconds)
        except Exception as reason:  # noqa: BLE001 - whatever it is, nobody holds the claim any more
            stop(reason)
        finally:
            end.cancel()

    task = asyncio.create_task(keep(), name="lease")
    try:
        yield
    except asyncio.CancelledError:
        if inside is not None and ended is not None and inside.cancelling() == 1:  # by nobody but us
            raise ended from None
        raise
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        if inside is not None and ended is not None:
            inside.uncancel()
