"""`attachment`: what a browser is to keep an answer as."""

from urllib.parse import quote


def attachment(name: str, plain: str) -> str:
    """A Content-Disposition (RFC 6266); `plain` is for what cannot read RFC 8187, since titles are Chinese."""
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
