"""Commands (`flask --app app …`): every module of this folder that has `commands` is registered."""

from __future__ import annotations

import importlib
import pkgutil

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the commands of every module here."""
    for found in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        for command in importlib.import_module(f"{__name__}.{found}").commands:
            app.cli.add_command(command)
