"""Chinese names on an English page say that they are Chinese (WCAG 3.1.2): readers aloud and fonts follow it.

Names of people, places and organisations come from the register and stay as they are in every language. The page
is marked once, when it is finished: an element that holds nothing but such a name gets `lang`, a name inside a
sentence a span of its own.
"""

from __future__ import annotations

import re

from flask import Flask, Response
from flask_babel import get_locale

CHINESE = re.compile("[\u3400-\u9fff]")
RUN = re.compile("[\u3400-\u9fff\u3000-\u303f\uff00-\uffef][\u3400-\u9fff\u3000-\u303f\uff00-\uffef*·0-9]*")
LATIN = re.compile("[A-Za-z]{2}")
PARTS = re.compile(r"(<[^>]*>)")
OPENING = re.compile(r"<([a-z][a-z0-9]*)\b")
SILENT = {"script", "style", "title", "textarea"}
WORDS_ONLY = {"option"}  # may hold no element


def mark(page: str) -> str:
    """The page with every run of Chinese marked as such."""
    found: list[str] = []
    parts, silent = PARTS.split(page), ""
    for place, part in enumerate(parts):
        if place % 2:
            tag = OPENING.match(part)
            if tag and tag[1] in SILENT:
                silent = tag[1]
            elif silent and part.startswith(f"</{silent}"):
                silent = ""
        elif not silent and CHINESE.search(part):
            part = _marked(part, found, parts[place + 1] if place + 1 < len(parts) else "")
        found.append(part)
    return "".join(found)


def _marked(text: str, before: list[str], after: str) -> str:
    """Text between two tags; where it is alone in its element, the element itself is marked (in `before`)."""
    tag = OPENING.match(before[-1]) if before else None
    alone = tag is not None and after == f"</{tag[1]}>" and (tag[1] in WORDS_ONLY or not LATIN.search(text))
    if alone and tag is not None:
        if " lang=" not in before[-1]:
            before[-1] = f'{before[-1][: tag.end()]} lang="zh"{before[-1][tag.end() :]}'
        return text
    return RUN.sub(lambda run: f'<span lang="zh">{run[0]}</span>' if CHINESE.search(run[0]) else run[0], text)


def _finish(response: Response) -> Response:
    if response.mimetype == "text/html" and not response.direct_passthrough and str(get_locale()).startswith("en"):
        response.set_data(mark(response.get_data(as_text=True)))
    return response


def init_app(app: Flask) -> None:
    """Mark every finished page that is read in English."""
    app.after_request(_finish)
