"""The application: `python app.py` serves it, `flask --app app …` runs its commands."""

import sys

from linkage.application import create_app
from linkage.supervisor import main

__all__ = ["create_app"]

if __name__ == "__main__":
    sys.exit(main())
