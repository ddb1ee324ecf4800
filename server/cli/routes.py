"""``ringback routes``: every path that the server answers on."""

from __future__ import annotations

import click
import tornado.web

from handlers.base import METHODS
from handlers.routes import ROUTES, Route
from server.cli.options import json_option
from server.cli.output import print_json, print_table


@click.command()
@json_option
def routes(as_json: bool) -> None:
    """Show every path of pages, API and sockets."""
    if as_json:
        print_json(
            [
                {
                    "path": route.shown,
                    "kind": route.kind,
                    "methods": methods(route),
                    "handler": _handler(route),
                    "about": _about(route),
                }
                for route in ROUTES
            ]
        )
    else:
        print_table(
            ("path", "kind", "methods", "handler"),
            [(route.shown, route.kind, " ".join(methods(route)), _handler(route)) for route in ROUTES],
        )


def methods(route: Route) -> list[str]:
    """The HTTP methods of a path: those that its handler has a function for."""
    unimplemented = tornado.web.RequestHandler._unimplemented_method
    return [method for method in METHODS if getattr(route.handler, method.lower()) is not unimplemented]


def _handler(route: Route) -> str:
    return f"{route.handler.__module__}.{route.handler.__name__}"


def _about(route: Route) -> str:
    """The first line of what the handler says about itself."""
    return (route.handler.__doc__ or "").strip().partition("\n")[0]
