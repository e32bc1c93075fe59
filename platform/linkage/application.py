"""create_app: configuration, extensions, the core, then each room registers what it has."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from flask import Flask

import linkage
from linkage.core import assets, clock, compression, events, formats, logs, look, privacy, spoken, transactions, web
from linkage.core.config import PACKAGE, Settings, flask_config, load_settings, tiles_origin
from linkage.core.extensions import babel, csrf, db, limiter, login_manager, migrate, talisman

# Lower rooms first: the order of DESIGN.md.
ROOMS = (
    "areas",
    "people",
    "accounts",
    "services",
    "volunteers",
    "organisations",
    "households",
    "contracts",
    "needs",
    "visits",
    "offers",
    "calls",
    "planning",
    "procurement",
    "imports",
    "upkeep",
    "desk",
)
# The files of a room that register something when they are imported: models, rights and scopes, notices, roles ...
PARTS = (
    "models",
    "permissions",
    "notices",
    "effects",
    "erasure",
    "periodic",
    "rules",
    "roles",
    "links",
    "tasks",
    "exports",
)
CONTENT_POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def content_policy(tiles: str) -> dict[str, str]:
    """What pages may load: our own files; pictures also from the tiles' origin, where the administrator named one."""
    pictures = f"{CONTENT_POLICY['img-src']} {tiles_origin(tiles)}" if tiles else CONTENT_POLICY["img-src"]
    return {**CONTENT_POLICY, "img-src": pictures}


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application.  Raises ConfigurationError, or RuntimeError when a route has no guard."""
    settings = settings or load_settings()
    app = web.Application(
        "linkage",
        root_path=str(PACKAGE),
        static_folder=str(PACKAGE / "static"),
        template_folder=str(PACKAGE / "templates"),
    )
    app.config.update(flask_config(settings))
    compression.init_app(app)
    logs.init_app(app)
    clock.init_app(app)
    transactions.init_app(app)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(_migrations()), render_as_batch=True)
    csrf.init_app(app)
    login_manager.init_app(app)
    limiter.init_app(app)
    talisman.init_app(
        app,
        force_https=False,
        content_security_policy=content_policy(settings.tiles),
        session_cookie_secure=False,
        strict_transport_security=settings.secure_cookies,
        referrer_policy="same-origin",
        frame_options="DENY",
    )
    web.init_app(app)
    formats.init_app(app)
    look.init_app(app)
    spoken.init_app(app)
    assets.init_app(app)
    for room in ROOMS:
        register_room(app, room)
    privacy.order_erasers(ROOMS)
    events.order_effects(ROOMS)
    for part in ("jobs", "worker", "cli", "health", "certificate"):
        module = optional(f"linkage.{part}")
        if module is not None and hasattr(module, "init_app"):
            module.init_app(app)
    babel.init_app(app, locale_selector=web.choose_locale)
    web.check_guards(app)
    return app


def _migrations() -> str:
    beside = PACKAGE / "migrations"  # in a wheel
    return str(beside if beside.exists() else PACKAGE.parents[1] / "migrations")


def register_room(app: Flask, room: str) -> None:
    """Import the room's registering parts and its pages (modules named pages or *_pages with a `room`)."""
    package = importlib.import_module(f"linkage.{room}")
    for part in PARTS:
        optional(f"linkage.{room}.{part}")
    for found in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        if found == "pages" or found.endswith("_pages"):
            app.register_blueprint(importlib.import_module(f"linkage.{room}.{found}").room)
    setup = optional(f"linkage.{room}.setup")
    if setup is not None:
        setup.init_app(app)


def optional(name: str) -> ModuleType | None:
    """Import a module if it exists; an error inside it is an error."""
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


__all__ = ["create_app", "linkage"]
