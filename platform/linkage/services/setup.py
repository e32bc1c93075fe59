"""What every template may say of services: ``service|named``, ``service|hinted``, lists of kinds, pairs and names."""

from __future__ import annotations

from flask import Flask

from linkage.services import words


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        named=words.named,
        hinted=words.hint_of,
        listed=words.listed,
        kind_list=words.kind_list,
        pair_list=words.pair_list,
        name_list=words.name_list,
    )
