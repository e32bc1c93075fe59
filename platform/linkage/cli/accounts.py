"""Commands about accounts."""

from __future__ import annotations

import json

import click
from flask import current_app
from flask.cli import with_appcontext

from linkage.accounts.demo import PASSWORD, demo_accounts, is_demo
from linkage.accounts.setup import first_page
from linkage.core import clock


def print_accounts() -> None:
    """One demo account of each role, as a table for the terminal; nothing outside of demo mode."""
    accounts = demo_accounts(clock.now())
    for account in accounts:
        click.echo(f"  {account.role.value:<14} {account.user.sign_in_name:<18} {account.scope_name}")
    if accounts:
        click.echo(f"  password of all: {PASSWORD}")


@click.command("accounts")
@click.option("--per-role", default=3, show_default=True, help="How many of each role at most.")
@with_appcontext
def accounts_command(per_role: int) -> None:
    """Print the demo accounts as JSON: role, sign-in name, password, first page."""
    if not is_demo():
        raise click.ClickException("there are no demo accounts outside of demo mode")
    with current_app.test_request_context():
        page = first_page()
    rows = [
        {
            "role": account.role.value,
            "username": account.user.sign_in_name,
            "password": PASSWORD,
            "scope": account.scope_name,
            "login_url": "/login",
            "first_page": page,
        }
        for account in demo_accounts(clock.now(), per_role)
    ]
    click.echo(json.dumps(rows, ensure_ascii=False, indent=1))


commands = (accounts_command,)
