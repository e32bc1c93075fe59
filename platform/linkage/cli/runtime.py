"""Commands that run the installation: web server, worker, https, the clock, what is due."""

from __future__ import annotations

import sys
from datetime import timedelta

import click
from flask import current_app
from flask.cli import with_appcontext

from linkage import https, server, supervisor, worker
from linkage.core import clock
from linkage.jobs import run_due

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@with_appcontext
def web_command(host: str, port: int) -> None:
    """Serve the pages until SIGTERM; what is being answered is finished first."""
    supervisor.follow_parent()
    server.serve(_app(), host, port)


@click.command("worker")
@with_appcontext
def worker_command() -> None:
    """Carry out jobs, and every minute what is due, until SIGTERM."""
    supervisor.follow_parent()
    worker.run(_app())


@click.command("https")
@click.option("--host", "hosts", multiple=True, required=True, help="Name or address of this machine; repeatable.")
@click.option("--port", default=8443, show_default=True)
@click.option("--plain-port", default=8080, show_default=True, help="Where phones fetch the certificate.")
@click.option("--bind", default="", help="Listen on this address only.")
@with_appcontext
def https_command(hosts: tuple[str, ...], port: int, plain_port: int, bind: str) -> None:
    """Serve over https on the office network, with a certificate of its own (see docs/running.md)."""
    try:
        https.run(hosts, port, plain_port, current_app.config["SETTINGS"].data_dir, bind)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--host") from error


@click.command("clock")
@click.argument("moment", default="")
@with_appcontext
def clock_command(moment: str) -> None:
    """Show the clock, or move it (demo and test only): `2026-11-24T09:30` in Shanghai, or `+2h`, `+1d`.

    What has become due is done before the command returns.
    """
    if moment:
        target = _parse(moment)
        try:
            clock.current_clock().move_to(target)
        except RuntimeError as error:
            raise click.ClickException(str(error)) from error
        _do_what_is_due()
    click.echo(clock.local(clock.now()).isoformat(timespec="minutes"))


@click.command("run-due")
@with_appcontext
def run_due_command() -> None:
    """Do what is due now, as the worker does every minute."""
    _do_what_is_due()


def _parse(moment: str):
    try:
        if moment.startswith("+"):
            return clock.now() + timedelta(**{UNITS[moment[-1]]: int(moment[1:-1])})
        return clock.parse_moment(moment)
    except (ValueError, KeyError) as error:
        raise click.BadParameter("give a time such as 2026-11-24T09:30, or +90m, +2h, +1d, +1w") from error


def _do_what_is_due() -> None:
    failed = run_due(clock.now())
    if failed:
        click.echo(f"failed: {', '.join(failed)}", err=True)
        sys.exit(1)


def _app():
    return current_app._get_current_object()  # type: ignore[attr-defined]


commands = (
    web_command,
    worker_command,
    https_command,
    clock_command,
    run_due_command,
)
