"""Domain errors: what went wrong, in the user's language, with the field and the remedy.

They know nothing of HTTP; `linkage.core.web` turns each class into a page or a problem document once.
"""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """Something the user can understand and do something about.

    Parameters
    ----------
    message : str or lazy string; a whole sentence
    field : the form field that is at fault, if one is
    remedy : what to do instead, a whole sentence
    """

    code = "error"

    def __init__(self, message: Any, *, field: str | None = None, remedy: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}" if self.remedy else str(self.message)


class NotSignedIn(DomainError):
    code = "not-signed-in"


class NotFound(DomainError):
    """Absent, or not for this person's eyes: the two look alike."""

    code = "not-found"


class NotAllowed(DomainError):
    """May be seen but not done; the message says who can."""

    code = "not-allowed"


class InvalidInput(DomainError):
    """One or several fields are wrong: `errors` maps a field to its sentences."""

    code = "invalid-input"

    def __init__(
        self, message: Any, *, field: str | None = None, remedy: Any = None, errors: dict[str, list[Any]] | None = None
    ) -> None:
        super().__init__(message, field=field, remedy=remedy)
        self.errors = errors or ({field: [message]} if field else {})


class Conflict(DomainError):
    """The world has moved on: somebody else won, the capacity is gone, the state does not allow it."""

    code = "conflict"


class StaleVersion(DomainError):
    """The row was edited since the form was opened."""

    code = "stale-version"


class TooManyAttempts(DomainError):
    code = "too-many-attempts"


class Unavailable(DomainError):
    """Try again later: the database or the worker did not answer in time."""

    code = "unavailable"
