"""What `matching` refuses, always naming the field.

Every error carries `path`, the place in the instance as one would write it in JSON
(`visits[3].windows[0].end_minutes`), and `remedy`, what the sender can do about it.
"""


class MatchingError(Exception):
    """Base of everything this package raises on purpose."""


class FieldError(MatchingError):
    """An error that belongs to one field.

    Parameters
    ----------
    path
        The field, e.g. ``visits[3].service_minutes``.
    problem
        What is wrong with it, in one clause.
    remedy
        What would make it right; empty if that is obvious.
    """

    def __init__(self, path: str, problem: str, remedy: str = "") -> None:
        self.path = path
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{path}: {problem}" + (f" ({remedy})" if remedy else ""))


class InvalidInstance(FieldError):
    """The instance contradicts itself or its bounds; nothing was solved."""


class InvalidPlan(FieldError):
    """A plan file cannot be read as a plan (whether it is feasible is the checker's word)."""
