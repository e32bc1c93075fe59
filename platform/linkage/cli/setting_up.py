"""Setting up an installation that is not a demo, and the tables that say what the house declares."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import segno
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

from linkage.accounts import commands as accounts
from linkage.areas.operations import XIAMEN, load_tree, read_tree
from linkage.core import clock
from linkage.core.errors import DomainError
from linkage.core.rulesets import FIRST_DAY, load_defaults
from linkage.core.transactions import unit_of_work
from linkage.core.workdays import load_shipped
from linkage.services.operations import load_catalogue


@click.command("setup")
@click.option("--name", required=True, help="The first administrator's name.")
@click.option("--sign-in-name", required=True, help="What they sign in with.")
@click.option("--telephone", default=None, help="Their telephone; they can sign in with it, too.")
@click.option(
    "--areas", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=XIAMEN, show_default=True
)
@click.option("--base-url", default="", help="Address under which people reach the platform, for the link.")
@with_appcontext
def setup_command(name: str, sign_in_name: str, telephone: str | None, areas: Path, base_url: str) -> None:
    """Migrate, load areas, services and rules, make the first administrator and print their link as a QR code.

    May be run again: what is there stays, and a second administrator is not made.
    """
    upgrade()
    now = clock.now()
    try:
        loaded = unit_of_work(lambda: load_tree(read_tree(areas), since=FIRST_DAY, now=now))
        services = unit_of_work(lambda: load_catalogue(by=None, now=now))
        rules = unit_of_work(lambda: load_defaults(now=now))
        years = unit_of_work(lambda: load_shipped(now=now))
        click.echo(f"areas: {loaded} new, services: {services} new, rules: {rules} new, years: {years} new")
        if accounts.has_administrator(now):
            click.echo("There is an administrator already; `flask --app app link NAME` makes a new link.")
            return
        link = unit_of_work(
            lambda: accounts.first_administrator(
                name, sign_in_name, telephone=telephone, base_url=base_url or _base_url(), now=now
            )
        )
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    _hand_over(link)


@click.command("link")
@click.argument("sign_in_name")
@click.option("--base-url", default="", help="Address under which people reach the platform.")
@with_appcontext
def link_command(sign_in_name: str, base_url: str) -> None:
    """Make a new link to set an account's password (whoever reaches this console may do everything anyway)."""
    try:
        link = unit_of_work(lambda: accounts.new_link(sign_in_name, base_url=base_url or _base_url(), now=clock.now()))
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    _hand_over(link)


@click.command("rights")
@with_appcontext
def rights_command() -> None:
    """Print who may do what, where; what is not seen without which right; and what each route needs."""
    for lines in (accounts.rights_lines(), accounts.seeing_lines(), accounts.route_lines()):
        click.echo("\n".join(line.rstrip() for line in lines) + "\n")


@click.command("events")
@with_appcontext
def events_command() -> None:
    """Print which room carries out what when something is announced."""
    click.echo("\n".join(accounts.event_lines()))


@click.command("personal-fields")
@with_appcontext
def fields_command() -> None:
    """Print every personal field and how it is kept."""
    click.echo("\n".join(accounts.personal_field_lines()))


def _base_url() -> str:
    return current_app.config["SETTINGS"].base_url or "http://127.0.0.1:8000"


def _hand_over(link: str) -> None:
    click.echo(f"Open this link once to set the password; it ends after some days:\n{link}")
    if sys.stdout.isatty():
        segno.make(link, error="m", micro=False).terminal(compact=True)


commands = (setup_command, link_command, rights_command, events_command, fields_command)
