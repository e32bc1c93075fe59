"""The demo: `prepare` (what `make run` calls) makes it once; `demo --reset` makes it anew."""

from __future__ import annotations

import time

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

from linkage.accounts.demo import is_demo
from linkage.cli.accounts import print_accounts
from linkage.core.clock import local
from linkage.demo import load


@click.command("prepare")
@with_appcontext
def prepare_command() -> None:
    """Bring the database to the newest migration; in demo mode make the demo once and show an account of each role."""
    upgrade()
    if is_demo():
        make_demo()
        print_accounts()


@click.command("demo")
@click.option("--reset", is_flag=True, help="Remove everything first, then make the demo anew.")
@with_appcontext
def demo_command(reset: bool) -> None:
    """Make the demo where it is missing (demo and test mode only)."""
    if current_app.config["SETTINGS"].mode == "production":
        raise click.ClickException("there is no demo in production")
    if reset:
        load.reset()
    else:
        upgrade()
    make_demo()


def make_demo() -> None:
    """Make the demo unless it is there; what an interrupted attempt left is removed first."""
    if load.is_loaded():
        return
    if load.is_begun():
        load.reset()
    started, now = time.monotonic(), load.opening_moment()
    click.echo("Making the demo: a street of Xiamen, one week behind it and one before it …")
    load.load(now)
    click.echo(f"  done in {time.monotonic() - started:.0f} s; its clock stands at {local(now):%Y-%m-%d %H:%M}")


commands = (prepare_command, demo_command)
