"""Logs: JSON lines on standard error, without personal data (a filter drops what looks like it)."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from flask import Flask

# ID numbers (17 digits and a digit or X) and telephone numbers never reach a log, whoever wrote them.
_NUMBERS = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)")
# A database error repeats the statement's parameters: dropped whole.
_PARAMETERS = re.compile(r"\[parameters:.*?\](?=\n|$)|DETAIL:.*?(?=\n|$)", re.S)
# Whoever reads the link of an invitation can use it.
_INVITATIONS = re.compile(r"/invitation/\w+")


def scrub(text: str) -> str:
    """Remove statement parameters, links of invitations and anything shaped like an ID or telephone number."""
    text = _INVITATIONS.sub("/invitation/[token]", _PARAMETERS.sub("[parameters dropped]", text))
    return _NUMBERS.sub("[number]", text)


def _scrub_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    return {key: scrub(value) if isinstance(value, str) else value for key, value in event.items()}


class _ScrubbingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def init_app(app: Flask) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _scrub_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", {})["hide_parameters"] = True
    root = logging.getLogger()
    if not root.handlers:  # else Flask and waitress write their own way, unscrubbed
        root.addHandler(logging.StreamHandler())
    for handler in root.handlers:
        handler.setFormatter(_ScrubbingFormatter("%(levelname)s %(name)s %(message)s"))
