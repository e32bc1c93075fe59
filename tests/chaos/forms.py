"""What a person could do next on a page: its links, and its forms with a way to fill them in."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Field:
    """One name of a form: how it is entered, what it may be, what stands there."""

    name: str
    kind: str
    values: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    limits: dict[str, str] = field(default_factory=dict)


@dataclass
class Form:
    """A form that writes."""

    action: str
    fields: dict[str, Field] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """`links` and `forms` (POST only) of a page."""

    def __init__(self, html):
        super().__init__()
        self.links, self.forms, self._form, self._select = [], [], None, None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and values.get("href", "").startswith("/"):
            self.links.append(values["href"].split("#")[0])
        elif tag == "form":
            writes = values.get("method", "").lower() == "post" and "multipart" not in values.get("enctype", "")
            self._form = Form(values.get("action", "")) if writes else None
            if writes:
                self.forms.append(self._form)
        elif self._form is not None:
            self._control(tag, values)

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None

    def _control(self, tag, values):
        name = values.get("name")
        if tag == "option" and self._select is not None:
            self._select.values.append(values.get("value", ""))
            if "selected" in values:
                self._select.given.append(values.get("value", ""))
        elif tag == "button" and name:
            self._form.buttons.append((name, values.get("value", "")))
        elif name and tag in ("input", "select", "textarea") and "disabled" not in values:
            kind = values.get("type", "text") if tag == "input" else tag
            entry = self._form.fields.setdefault(name, Field(name, kind))
            entry.limits.update({key: values[key] for key in ("min", "max") if key in values})
            if tag == "select":
                self._select = entry
            elif kind in ("radio", "checkbox"):
                entry.values.append(values.get("value", "on"))
                entry.given += [values.get("value", "on")] if "checked" in values else []
            elif tag == "input":
                entry.given.append(values.get("value", ""))


def fill(form, dice, today):
    """Fields as somebody might fill them in: mostly what stands there, else what the control allows."""
    sent = []
    for entry in form.fields.values():
        sent += [(entry.name, value) for value in _typed(entry, dice, today)]
    if form.buttons:
        sent.append(dice.choice(form.buttons))
    return sent


def _typed(entry, dice, today):
    if entry.kind == "hidden":
        return entry.given
    keep = entry.given and any(entry.given) and dice.random() < 0.6
    if entry.kind in ("radio", "select"):
        usable = [value for value in entry.values if value] or entry.values
        return entry.given[:1] if keep or not usable else [dice.choice(usable)]
    if entry.kind == "checkbox":
        return entry.given if keep else [value for value in entry.values if dice.random() < 0.4]
    return entry.given[:1] if keep else [_text(entry, dice, today)]


def _text(entry, dice, today):
    if entry.kind == "date":
        return str(type(today).fromordinal(today.toordinal() + dice.randint(0, 21)))
    if entry.kind == "time":
        return f"{dice.randint(8, 17):02}:{dice.choice((0, 15, 30, 45)):02}"
    if entry.kind == "number":
        low, high = (int(float(entry.limits.get(key) or other)) for key, other in (("min", 0), ("max", 90)))
        return str(dice.randint(low, max(low, min(high, low + 120))))
    if "telephone" in entry.name or entry.kind == "tel":
        return "139" + "".join(dice.choice("0123456789") for _ in range(8))
    if "name" in entry.name:
        return dice.choice("赵钱孙李周吴郑王") + dice.choice(("小明", "桂花", "建国", "丽", "阿珠"))
    return dice.choice(("", "", "门口有狗", "请轻声", "7"))
