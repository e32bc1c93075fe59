"""Configuration: everything comes from the environment (``LINKAGE_*``), with embedded defaults.

Three modes: ``demo`` (made-up Xiamen data, movable clock, own secrets under the data folder), ``test``
and ``production`` (every secret must be given; a default secret is refused).
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = Path(__file__).resolve().parents[1]
MODES = ("demo", "test", "production")
SECRET_NAMES = ("SECRET_KEY", "MASTER_KEY", "INDEX_KEY")
MIN_SECRET_BYTES = 32
ROUTING_KINDS = ("osrm", "valhalla")
TILES = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?/[^\s;,'\"<>]*\{z\}[^\s;,'\"<>]*")


class ConfigurationError(Exception):
    """The installation is set up wrongly; the message names the variable and the remedy."""


@dataclass(frozen=True)
class Settings:
    """One installation's settings.

    Attributes
    ----------
    mode : one of ``demo``, ``test``, ``production``
    data_dir : folder for the database, secrets, clock, logs and uploads (mode 0700)
    database_url : SQLAlchemy address; SQLite below `data_dir` by default
    queue_url : where Huey wakes workers: ``sqlite://`` (default), ``redis://…`` or ``postgresql://…``
    secrets : SECRET_KEY (cookies), MASTER_KEY (wraps data keys), INDEX_KEY (blind indexes), base64
    keep_dir : what must live outside the database and its backups (journal of erasures, audit checkpoints)
    backup_dir : where backups are written
    old_master_keys : earlier master keys, still needed to read what a rotation has not yet rewrapped
    tiles : address of map tiles, such as ``https://tiles.example/{z}/{x}/{y}.png`` (``LINKAGE_TILES``); empty: none,
        and no page asks another machine for anything
    routing_url, routing_kind : a routing server of one's own for travel times (``LINKAGE_ROUTING_URL``, and
        ``LINKAGE_ROUTING_KIND``: ``osrm`` or ``valhalla``); empty: great circle by speed
    base_url : public address for links and QR codes, without a trailing slash; empty = from the request
    """

    mode: str
    data_dir: Path
    database_url: str
    queue_url: str
    secrets: dict[str, str] = field(repr=False)
    keep_dir: Path
    backup_dir: Path
    old_master_keys: tuple[str, ...] = field(default=(), repr=False)
    base_url: str = ""
    trusted_proxy: str = ""
    tiles: str = ""
    routing_url: str = ""
    routing_kind: str = "osrm"
    now: str = ""

    @property
    def secure_cookies(self) -> bool:
        """Secure cookies are off only where the app itself is reached by plain http on loopback."""
        return self.base_url.startswith("https://") or bool(self.trusted_proxy)


def load_settings(env: dict[str, str] | None = None) -> Settings:
    """Read the settings from `env` (the process environment by default).

    Raises
    ------
    ConfigurationError
        an unknown mode; in production a missing, short or default secret.
    """
    env = dict(os.environ) if env is None else env
    mode = env.get("LINKAGE_MODE", "demo")
    if mode not in MODES:
        raise ConfigurationError(f"LINKAGE_MODE is {mode!r}; set it to one of {', '.join(MODES)}")
    data_dir = Path(env.get("LINKAGE_DATA_DIR", str(ROOT / "var"))).resolve()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    default_database = "sqlite:///" + str(data_dir / "linkage.db")
    return Settings(
        mode=mode,
        data_dir=data_dir,
        database_url=env.get("LINKAGE_DATABASE_URL", default_database),
        queue_url=env.get("LINKAGE_QUEUE_URL", "sqlite://"),
        secrets=_given_secrets(env) if mode == "production" else _own_secrets(env, data_dir),
        keep_dir=Path(env.get("LINKAGE_KEEP_DIR") or data_dir / "keep").resolve(),
        backup_dir=Path(env.get("LINKAGE_BACKUP_DIR") or data_dir / "backups").resolve(),
        old_master_keys=tuple(env.get("LINKAGE_OLD_MASTER_KEYS", "").replace(",", " ").split()),
        base_url=env.get("LINKAGE_BASE_URL", "").rstrip("/"),
        trusted_proxy=env.get("LINKAGE_TRUSTED_PROXY", ""),
        tiles=_tiles(env.get("LINKAGE_TILES", "").strip()),
        routing_url=_routing(env.get("LINKAGE_ROUTING_URL", "").strip().rstrip("/")),
        routing_kind=_routing_kind(env.get("LINKAGE_ROUTING_KIND", "osrm")),
        now=env.get("LINKAGE_NOW", ""),
    )


def _tiles(address: str) -> str:
    """An address of tiles, or nothing.  Raises ConfigurationError for one that is no https address of tiles."""
    if address and not TILES.fullmatch(address):
        raise ConfigurationError("LINKAGE_TILES must look like https://tiles.example/{z}/{x}/{y}.png")
    return address


def _routing(address: str) -> str:
    if address and not address.startswith(("http://", "https://")):
        raise ConfigurationError("LINKAGE_ROUTING_URL must look like http://127.0.0.1:5000")
    return address


def _routing_kind(kind: str) -> str:
    if kind not in ROUTING_KINDS:
        raise ConfigurationError(f"LINKAGE_ROUTING_KIND is {kind!r}; set it to one of {', '.join(ROUTING_KINDS)}")
    return kind


def tiles_origin(address: str) -> str:
    """The one origin from which pictures may come besides our own."""
    return "/".join(address.split("/")[:3])


def _given_secrets(env: dict[str, str]) -> dict[str, str]:
    found = {name: env.get(f"LINKAGE_{name}", "") for name in SECRET_NAMES}
    for name, value in found.items():
        if not _is_strong(value):
            raise ConfigurationError(
                f"LINKAGE_{name} must be {MIN_SECRET_BYTES} random bytes in base64; "
                "make all three with: python -m linkage.core.config"
            )
    if len(set(found.values())) < len(found):
        raise ConfigurationError("LINKAGE_SECRET_KEY, LINKAGE_MASTER_KEY and LINKAGE_INDEX_KEY must differ")
    return found


def _is_strong(value: str) -> bool:
    """Thirty-two bytes that are not one repeated pattern: 'changeme' and zeros are refused."""
    try:
        raw = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return len(raw) >= MIN_SECRET_BYTES and len(set(raw)) >= 12


def _own_secrets(env: dict[str, str], data_dir: Path) -> dict[str, str]:
    """Demo and test: secrets are made once and kept beside the data, readable by the owner only."""
    path = data_dir / "secrets.json"
    stored = json.loads(path.read_text()) if path.exists() else {}
    if not path.exists():
        stored = {name: make_secret() for name in SECRET_NAMES}
        path.touch(mode=0o600)
        path.write_text(json.dumps(stored))
    return {name: env.get(f"LINKAGE_{name}") or stored[name] for name in SECRET_NAMES}


def make_secret() -> str:
    """Return 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(MIN_SECRET_BYTES)).decode()


def flask_config(settings: Settings) -> dict[str, Any]:
    """Translate settings into what Flask and its extensions read."""
    return {
        "SETTINGS": settings,
        "TESTING": settings.mode == "test",
        "SECRET_KEY": settings.secrets["SECRET_KEY"],
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "MAX_CONTENT_LENGTH": 12 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "SESSION_COOKIE_NAME": "linkage",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": False,
        "BABEL_DEFAULT_LOCALE": "zh",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
        "BABEL_TRANSLATION_DIRECTORIES": str(PACKAGE / "translations"),
        "RATELIMIT_STORAGE_URI": "memory://",
        "RATELIMIT_HEADERS_ENABLED": False,
    }


if __name__ == "__main__":  # a command of the application would need the secrets that it makes
    print("\n".join(f"LINKAGE_{name}={make_secret()}" for name in SECRET_NAMES))
