"""The application: `python app.py` serves it, `flask --app app …` runs its commands."""

from linkage.application import create_app

__all__ = ["create_app"]

if __name__ == "__main__":
    from linkage.server import main

    main()
