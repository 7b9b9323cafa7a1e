"""The aiohttp application: everything the server answers over HTTP, but for what signaling adds."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from aiohttp import web

from web.api.dispatch import add_calls
from web.api.openapi import openapi_handler
from web.api.routes import CALLS
from web.cross_origin import allow_any_site
from web.figures import FIGURES, Figures
from web.grants import Grants, asking
from web.health import Health
from web.metrics import MetricsPage
from web.middleware import number_and_count
from web.pages import ClientPages
from web.proxies import Proxies
from web.security import security_headers
from web.services import EDGE, SERVICES, Edge, Services, WebSettings
from web.throttle import Throttle

# A key has 80 bits, so guessing is hopeless anyway; this keeps the guesser from being a load.
PAIRINGS: Final = (10, 30.0)
# A whole village may share one address; a script may not fill the queues.
GUEST_TICKETS: Final = (20, 15.0)
# A hall's encoders come at once after a break of the line, and try again every few seconds while a meeting has not
# begun; a key has 192 bits, so here too it is only the load that counts.
DEVICES: Final = (60, 1.0)


def create_app(
    services: Services,
    settings: WebSettings,
    *,
    health: Health,
    figures: Figures,
    pages: ClientPages,
    now: Callable[[], float] = monotonic,
) -> web.Application:
    """Build it; signaling attaches itself afterwards, and server.py runs it."""
    proxies = Proxies(settings.trusted_proxies)
    app = web.Application(middlewares=[number_and_count, proxies.middleware()])
    app[SERVICES] = services
    app[FIGURES] = figures
    app[EDGE] = Edge(
        settings,
        pairing=Throttle(now, burst=PAIRINGS[0], seconds=PAIRINGS[1]),
        tickets=Throttle(now, burst=GUEST_TICKETS[0], seconds=GUEST_TICKETS[1]),
        devices=Throttle(now, burst=DEVICES[0], seconds=DEVICES[1]),
        grants=Grants(now, asking(services.accounts, services.library)),
    )
    app.on_response_prepare.append(security_headers(settings.media_origin))
    app.on_response_prepare.append(allow_any_site)
    add_calls(app, CALLS)
    app.router.add_get("/api/openapi.json", openapi_handler(CALLS), name="openapi")
    health.add_routes(app)
    MetricsPage(figures.registry, settings).add_routes(app)
    pages.add_routes(app)
    return app
