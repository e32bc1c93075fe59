"""HTTPS on an office network: Caddy in front, its own authority, and a page that hands out its certificate."""

import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from linkage.https import Front, check_host, fingerprint, free_port, root_certificate
from tests.linkage.runtime.test_supervisor import eventually

ROOT = Path(__file__).resolve().parents[3]


class Office:
    """A running `flask --app app https` on loopback."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port, self.plain_port = free_port(), free_port()
        self.env = {**os.environ, "LINKAGE_DATA_DIR": str(data_dir), "LINKAGE_MODE": "demo"}
        ports = ["--port", str(self.port), "--plain-port", str(self.plain_port)]
        self.flask("prepare").wait(60)
        self.process = self.flask("https", "--host", "127.0.0.1", "--bind", "127.0.0.1", *ports)

    def flask(self, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
        log = (self.data_dir / "log").open("ab")
        return subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def get(self, path: str, *, trusting: Path | None = None, headers: dict[str, str] | None = None):
        context = ssl.create_default_context(cafile=trusting)
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", headers=headers or {})
        return urllib.request.urlopen(request, context=context, timeout=10)

    def get_plain(self, path: str):
        return urllib.request.build_opener(StayHere).open(f"http://127.0.0.1:{self.plain_port}{path}", timeout=10)

    def is_ready(self) -> bool:
        root = root_certificate(self.data_dir)
        try:
            return root.exists() and self.get("/readyz", trusting=root).status == 200
        except OSError:
            return False


class StayHere(urllib.request.HTTPRedirectHandler):
    """Shows a redirection instead of following it."""

    def redirect_request(self, *args, **kwargs):
        return None


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    office = Office(tmp_path_factory.mktemp("office"))
    assert eventually(office.is_ready, 60), (office.data_dir / "log").read_text()
    yield office
    office.process.send_signal(signal.SIGTERM)
    office.process.wait(40)


def test_who_trusts_the_root_certificate_is_served_without_a_warning(office):
    answer = office.get("/healthz", trusting=root_certificate(office.data_dir))
    assert answer.status == 200
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_who_does_not_trust_it_yet_is_warned(office):
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        office.get("/healthz")


def test_the_certificate_is_handed_out_over_plain_http_with_its_fingerprint(office):
    root = root_certificate(office.data_dir)
    assert fingerprint(root) in office.get_plain("/certificate").read().decode()
    assert office.get_plain("/certificate/linkage-root.crt").read() == root.read_bytes()
    assert f"Its fingerprint must read: {fingerprint(root)}" in (office.data_dir / "log").read_text()


def test_everything_else_over_plain_http_is_sent_on_to_https(office):
    with pytest.raises(urllib.error.HTTPError) as redirection:
        office.get_plain("/somewhere?page=2")
    assert redirection.value.code == 302
    assert redirection.value.headers["Location"] == f"https://127.0.0.1:{office.port}/somewhere?page=2"


def test_the_authority_is_readable_by_the_owner_only(office):
    assert (office.data_dir / "caddy").stat().st_mode & 0o077 == 0


def test_a_stop_ends_server_worker_and_caddy(tmp_path):
    office = Office(tmp_path)
    assert eventually(office.is_ready, 60)
    children = psutil.Process(office.process.pid).children()
    assert len(children) == 3
    office.process.send_signal(signal.SIGINT)
    office.process.wait(40)
    assert not any(child.is_running() for child in children)


def test_an_offices_own_certificate_takes_the_place_of_the_authority():
    front = Front(("office.example",), 8443, 8080, 8000, Path("/data"), certificate="/own.crt", key="/own.key")
    assert 'tls "/own.crt" "/own.key"' in front.caddyfile()
    assert "internal" not in front.caddyfile()


@pytest.mark.parametrize("host", ["", "a b", "x{", "http://x", "名字", "a..b"])
def test_a_host_that_is_neither_name_nor_address_is_refused(host):
    with pytest.raises(ValueError, match="neither"):
        check_host(host)


def test_names_and_addresses_are_taken():
    assert [check_host(host) for host in ("192.168.1.20", "::1", "Office.Local.")] == [
        "192.168.1.20",
        "::1",
        "office.local",
    ]
