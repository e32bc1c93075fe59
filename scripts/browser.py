"""See that the browser for the journeys is there: Debian's Chromium and a Chinese font.

Installs them with apt-get when run as root; else says what to install. CHROMIUM names another executable.
"""

import os
import shutil
import subprocess
import sys

PACKAGES = ("chromium", "fonts-noto-cjk")


def chromium() -> str | None:
    """Path of the browser's executable, or None."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def has_chinese_font() -> bool:
    """Whether fontconfig knows a font with Chinese characters."""
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False).stdout.strip())


def main() -> int:
    """0 when the browser tests can run."""
    if chromium() and has_chinese_font():
        return 0
    command = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
    if not shutil.which("apt-get") or os.geteuid() != 0:
        print(
            f"The browser tests need {' and '.join(PACKAGES)}: sudo {' '.join(command)}\n"
            "(or name the browser's executable in CHROMIUM)",
            file=sys.stderr,
        )
        return 1
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update"], command):
        subprocess.run(step, check=True, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
