"""The plane's errors in the words of `media.errors`."""

from collections.abc import Iterator
from contextlib import contextmanager

from media.errors import InvalidMedia, MediaLimitReached, WrongMediaState
from media.plane import PlaneBusyError, StaleHandleError


@contextmanager
def plane_errors(code: str = "invalid_rtp_parameters") -> Iterator[None]:
    """Around calls of the plane: `code` is for arguments it refuses."""
    try:
        yield
    except PlaneBusyError as error:
        raise MediaLimitReached("media_overloaded") from error
    except StaleHandleError as error:
        raise WrongMediaState("media_closed", what="plane object") from error
    except ValueError as error:
        raise InvalidMedia(code, field="", reason=str(error)) from error
