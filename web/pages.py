"""The browser client's files: pages are answered with index.html, everything else by what Vite built.

Vite puts the content's hash into the names under /assets, so those may be kept for ever; a page must always be asked
for again. Where the build left a `.br` or `.gz` beside a file, aiohttp sends that to browsers that take it.
"""

from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

ASSETS: Final = "assets"
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"
A_DAY: Final = "public, max-age=86400"
BUILT: Final = Path(__file__).parent / "client" / "dist"

# What a page's path can never begin with: typing errors there must be errors, not pages.
RESERVED: Final = ("api", "socket.io", "healthz", "readyz", "metrics")

NOT_BUILT: Final = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>会堂</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 4em auto; padding: 0 1em; line-height: 1.6">
<h1>会堂</h1>
<p>服务器正在运行，但网页界面尚未构建。请在服务器上运行 <code>make setup</code>，然后刷新本页。</p>
<p lang="en">The server is running, but its pages have not been built. Run <code>make setup</code> on the server, then
reload this page.</p>
"""


class ClientPages:
    """Serves one folder of built files; looks anew at each request, so that a build needs no restart."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._folder = folder

    def add_routes(self, app: web.Application) -> None:
        """Answer GET for every path that is nobody else's."""
        reserved = "|".join(name.replace(".", r"\.") for name in RESERVED)
        app.router.add_get(rf"/{{path:(?!(?:{reserved})(?:/|$)).*}}", self.serve, name="client")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """A file that exists, else the page that finds its way by the path; 404 for a file that is missing."""
        path = request.match_info["path"]
        file = self._file(path)
        if file is not None:
            return web.FileResponse(file, headers={hdrs.CACHE_CONTROL: _caching(path)})
        if "." in path.rpartition("/")[2] or path.startswith(f"{ASSETS}/"):
            raise web.HTTPNotFound
        index = self._file("index.html")
        if index is None:
            return web.Response(text=NOT_BUILT, content_type="text/html", status=503)
        return web.FileResponse(index, headers={hdrs.CACHE_CONTROL: ASK_AGAIN})

    def _file(self, path: str) -> Path | None:
        parts = path.split("/")
        if any(
            part in {"", ".", ".."} or part.startswith(".") or "\\" in part or "\0" in part for part in parts
        ):
            return None
        file = self._folder.joinpath(*parts)
        return file if file.is_file() else None


def _caching(path: str) -> str:
    if path.startswith(f"{ASSETS}/"):
        return FOR_EVER
    return ASK_AGAIN if path.endswith((".html", ".json", ".js")) else A_DAY
