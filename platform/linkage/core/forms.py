"""One marshmallow schema serves a form and JSON.

`FormSchema` drops what a browser adds (`csrf_token`, `_idem`), maps '' to missing, gathers lists, and says its
messages in the user's language. `Form` keeps what was typed beside the errors, so that nothing is ever lost.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate
from werkzeug.datastructures import MultiDict

from linkage.core.errors import (
    DomainError,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    StaleVersion,
    Unavailable,
)

BROWSER_FIELDS = ("csrf_token", "_idem", "_draft")
MESSAGES = {
    "required": _l("Please fill this in."),
    "null": _l("Please fill this in."),
    "invalid": _l("This is not understood; see the example below the field."),
    "too_large": _l("This number is too large."),
    "special": _l("This is not a number."),
}
MESSAGES["validator_failed"] = _l("This value is not possible.")
for kind in {fields.Field, *(getattr(fields, name) for name in fields.__all__ if name != "Constant")}:
    kind.default_error_messages = {**kind.default_error_messages, **MESSAGES}


def one_of(values: Any) -> validate.OneOf:
    """One of the offered values."""
    return validate.OneOf(values, error=_l("This value is not possible."))


def at_most(characters: int) -> validate.Length:
    """So long and no longer."""
    return validate.Length(max=characters, error=_l("At most %(number)s characters.", number=characters))


def between(low: int, high: int) -> validate.Range:
    """From `low` to `high`, both included."""
    return validate.Range(low, high, error=_l("From %(low)s to %(high)s.", low=low, high=high))


def shaped(pattern: str, error: Any) -> validate.Regexp:
    """The whole text has the form of `pattern`; `error`: a sentence that gives an example."""
    return validate.Regexp(f"(?:{pattern})$", error=error)


# In this order: a Decimal is asked before it is made an integer of a million figures.
BOUNDS: dict[type, tuple[Any, Any]] = {
    fields.Integer: (-(2**31), 2**31 - 1),
    fields.Decimal: (-(10**7), 10**7),
    fields.Float: (-(10**7), 10**7),
    fields.Date: (date(1850, 1, 1), date(2200, 12, 31)),
}
MONEY = re.compile(r"[¥￥]?(\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.(\d{1,2}))?元?")


class Money(fields.Field[int]):
    """An amount as people type it (1280 · 1,280.00 · ¥1,280.5 · full-width figures) → integer fen, exactly."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        typed = "".join(unicodedata.normalize("NFKC", str(value)).replace("¥", "").split())
        found = MONEY.fullmatch(typed)
        if found is None:
            raise ValidationError([_l("Write an amount in yuan, such as 1,280.00.")])
        return int(found[1].replace(",", "")) * 100 + int((found[2] or "").ljust(2, "0"))


def shown_money(fen: int | None) -> str:
    """The same amount for an input: 1,280.00."""
    return "" if fen is None else f"{fen // 100:,}.{fen % 100:02d}"


class FormSchema(Schema):
    """Base of every form's schema. Unknown fields are ignored: nothing is assigned that is not named."""

    class Meta:
        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        """Numbers and days have bounds that every database and calendar keeps, whatever else a form demands."""
        inner = field_obj.inner if isinstance(field_obj, fields.List) else field_obj
        bounds = next((pair for kind, pair in BOUNDS.items() if isinstance(inner, kind)), None)
        if bounds is not None:
            inner.validators = [between(*bounds), *inner.validators]

    @pre_load
    def _from_browser(self, data: Any, **_kwargs: Any) -> dict[str, Any]:
        if not isinstance(data, MultiDict):
            return {key: value for key, value in dict(data).items() if key not in BROWSER_FIELDS}
        taken: dict[str, Any] = {}
        for name, field in self.fields.items():
            key = field.data_key or name
            if isinstance(field, fields.List):
                taken[key] = [value for value in data.getlist(key) if value.strip()]
            elif isinstance(field, fields.Boolean):
                taken[key] = data.get(key, "") not in ("", "0", "false", "no")
            elif data.get(key, "").strip():
                taken[key] = data[key].strip()
        return taken


class Form:
    """What was sent, what it means, and what is wrong with it.

    Attributes
    ----------
    data : the loaded values (only where `valid`)
    errors : field → list of sentences
    result : what the operation behind `passes` returned
    status : with which the page goes back: 422, or 412 where somebody else was quicker
    """

    status = 422
    result: Any = None

    def __init__(
        self,
        schema: FormSchema | None = None,
        sent: Mapping[str, Any] | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.sent, self.initial = sent, dict(initial or {})
        self.errors: dict[str, list[Any]] = {}
        self.data: dict[str, Any] = {}
        if schema is not None and sent is not None:
            try:
                self.data = schema.load(sent)
            except ValidationError as error:
                self.errors = _flat(error.messages)

    @property
    def valid(self) -> bool:
        return self.sent is not None and not self.errors

    def passes(self, act: Callable[[dict[str, Any]], Any]) -> bool:
        """Whether what was sent is right and `act` went through with it; what it returned is `result`.

        A domain error lands on the form, which the view then shows again with `status`.
        """
        if self.valid:
            try:
                self.result = act(self.data)
            except DomainError as error:
                self.add(error)
            else:
                return True
        return False

    def add(self, error: DomainError) -> None:
        """Take a domain error onto the form: at its field, or at the top ('').

        What no other input would mend (not allowed, not there, not now) goes on as it came.
        """
        if isinstance(error, (NotAllowed, NotFound, NotSignedIn, Unavailable)):
            raise error
        if isinstance(error, StaleVersion):
            self.status = 412
        if isinstance(error, InvalidInput) and error.errors:
            for name, sentences in error.errors.items():
                self.errors.setdefault(name, []).extend(sentences)
        else:
            self.errors.setdefault(error.field or "", []).append(str(error))

    def value(self, name: str, default: Any = "") -> Any:
        """What to show in the field: what was typed, else the initial value."""
        if self.sent is not None:
            return self.sent.get(name, "")
        return _shown(self.initial.get(name, default))

    def values(self, name: str) -> list[str]:
        """The same for a field with several values."""
        if self.sent is not None:
            return self.sent.getlist(name) if isinstance(self.sent, MultiDict) else list(self.sent.get(name, []))
        return [str(_shown(value)) for value in self.initial.get(name) or []]

    def checked(self, name: str) -> bool:
        return bool(self.sent.get(name)) if self.sent is not None else bool(self.initial.get(name))

    def error(self, name: str) -> str:
        return " ".join(str(sentence) for sentence in self.errors.get(name, []))

    def demand(self) -> dict[str, Any]:
        """The loaded values, or InvalidInput with every error."""
        if self.errors:
            raise InvalidInput(_l("Please check what you entered."), errors=self.errors)
        return self.data


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return value.isoformat() if isinstance(value, date) else value


def _flat(messages: Any, prefix: str = "") -> dict[str, list[Any]]:
    if not isinstance(messages, dict):
        return {prefix: messages if isinstance(messages, list) else [messages]}
    flat: dict[str, list[Any]] = {}
    for key, inner in messages.items():
        name = key if not prefix else (prefix if isinstance(key, int) else f"{prefix}.{key}")
        for field, sentences in _flat(inner, str(name)).items():
            flat.setdefault(field, []).extend(sentences)
    return flat
