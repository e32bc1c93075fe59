"""Translations: `i18n.py extract | compile | check` (see platform/linkage/translations/README.md).

English source text is the msgid. Every room has its own Chinese catalogue, so that two people working in
two rooms never meet in one file; `compile` joins them.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "platform" / "linkage"
TRANSLATIONS = PACKAGE / "translations"
ROOMS = TRANSLATIONS / "rooms"
LOCALE = "zh"
SHELL = "shell"  # what stands in no room: templates/, cli.py and the like
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None, "lazy_ngettext": (1, 2), "_n": (1, 2)}
KEYWORDS["lazy_pgettext"] = ((1, "c"), 2)
# What rooms declare to core and an administrator reads in one table each: meanings of rights, sources of rules
# (function: which argument).
DECLARED = "declared"
DECLARATIONS = {"right": 1, "declare": 2}
METHODS = {".py": "python", ".html": "jinja2.ext:babel_extract", ".txt": "jinja2.ext:babel_extract"}
HEADER = rb"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=1; plural=0;\n"

"""
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}")
CHINESE = re.compile("[\u3400-\u9fff]")
JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
JINJA_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
WORDLESS_MACRO = re.compile(r"\{%-?\s*macro\b[^%]*%\}[^<]*?\{%-?\s*endmacro\b", re.DOTALL)  # makes attributes only
NATURAL = re.compile("[A-Za-z]{2,}|[\u3400-\u9fff]")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SILENT = {"script", "style", "code"}
SHOWN_ATTRIBUTES = {"placeholder", "title", "aria-label", "alt"}

Key = tuple[str | None, str]


def room_of(path: Path) -> str:
    """The catalogue that a source file belongs to: its room, or `shell`."""
    first = path.relative_to(PACKAGE).parts[0]
    return first if (PACKAGE / first / "__init__.py").exists() else SHELL


def sources() -> Iterator[Path]:
    """Every file with texts for users."""
    for path in sorted(PACKAGE.rglob("*")):
        is_text = path.suffix != ".txt" or "templates" in path.parts
        if path.suffix in METHODS and is_text and not {"static", "translations"} & set(path.parts):
            yield path


def messages_in(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None, list[str]]]:
    """(msgid, context, comments) of one file."""
    options = {"silent": "false", "trimmed": "true"}
    with path.open("rb") as file:
        for _line, msgid, comments, context in extract(
            METHODS[path.suffix], file, KEYWORDS, ("L10N:",), options=options
        ):
            yield msgid, context, comments


def declared_in(path: Path) -> Iterator[str]:
    """What a Python file declares in words, see DECLARATIONS."""
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DECLARATIONS:
            arguments = node.args[DECLARATIONS[node.func.id] :]
            if arguments and isinstance(arguments[0], ast.Constant) and isinstance(arguments[0].value, str):
                yield arguments[0].value


def extracted() -> dict[str, Catalog]:
    """The texts of each room, without translations."""
    rooms: dict[str, Catalog] = defaultdict(lambda: Catalog(locale=LOCALE, fuzzy=False))
    for path in sources():
        for msgid, context, comments in messages_in(path):
            rooms[room_of(path)].add(msgid, auto_comments=comments, context=context)
        for text in declared_in(path):
            rooms[DECLARED].add(text)
    return dict(rooms)


def catalogue_path(room: str) -> Path:
    """Where a room's Chinese stands."""
    return ROOMS / f"{room}.{LOCALE}.po"


def stored(room: str) -> Catalog:
    """A room's translations; empty when there are none yet."""
    path = catalogue_path(room)
    if not path.exists():
        return Catalog(locale=LOCALE, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=LOCALE, abort_invalid=True)


def entries(catalogue: Catalog) -> dict[Key, Message]:
    """Messages by (context, singular), without the header."""
    return {(m.context, _singular(m)): m for m in catalogue if m.id}


def _singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _strings(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())  # type: ignore[call-overload]


def run_extract() -> int:
    """Bring every room's catalogue up to date: new texts enter as another room reads them, else empty; texts no
    longer used leave.
    """
    rooms = extracted()
    elsewhere = {key: message.string for room in rooms for key, message in entries(stored(room)).items()}
    ROOMS.mkdir(parents=True, exist_ok=True)
    for room, template in sorted(rooms.items()):
        known = entries(stored(room))
        merged = Catalog(locale=LOCALE, fuzzy=False)
        for key, message in sorted(entries(template).items(), key=_order):
            old = known.get(key)
            given = old.string if old and any(_strings(old.string)) else elsewhere.get(key, "")
            merged.add(message.id, given, context=message.context)
        _write(room, merged)
    for path in ROOMS.glob("*.po"):
        if path.name.split(".")[0] not in rooms:
            path.unlink()
    empty = [text for room in rooms for text in missing(room, rooms[room])]
    print(f"{_count(rooms)} texts in {len(rooms)} rooms, {len(empty)} without a translation")
    return 0


def _order(item: tuple[Key, Message]) -> tuple[str, str]:
    (context, text), _message = item
    return text, context or ""


def _count(rooms: dict[str, Catalog]) -> int:
    return sum(len(catalogue) for catalogue in rooms.values())


def _write(room: str, catalogue: Catalog) -> None:
    """No dates and no line numbers: a catalogue changes only where a text did."""
    with catalogue_path(room).open("wb") as file:
        file.write(HEADER)
        write_po(file, catalogue, width=0, omit_header=True, no_location=True, sort_output=False)


def joined() -> Catalog:
    """All rooms' translations in one catalogue."""
    everything = Catalog(locale=LOCALE, fuzzy=False, charset="utf-8")
    for path in sorted(ROOMS.glob(f"*.{LOCALE}.po")):
        for message in entries(stored(path.name.split(".")[0])).values():
            if all(_strings(message.string)) and not message.fuzzy:
                everything.add(message.id, message.string, context=message.context)
    return everything


def run_compile() -> int:
    """Write translations/zh/LC_MESSAGES/messages.mo."""
    target = TRANSLATIONS / LOCALE / "LC_MESSAGES" / "messages.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        write_mo(file, joined())
    return 0


def missing(room: str, template: Catalog) -> list[str]:
    """Texts of a room that have no complete Chinese, or whose placeholders differ."""
    known = entries(stored(room))
    found = []
    for key, message in entries(template).items():
        translations = _strings(known[key].string) if key in known else []
        if not translations or not all(translations) or known[key].fuzzy:
            found.append(f"{room}: no translation of {key[1]!r}")
        elif not _same_placeholders(message, translations):
            found.append(f"{room}: other placeholders in the translation of {key[1]!r}")
    return found


def _same_placeholders(message: Message, translations: list[str]) -> bool:
    # A Chinese text may leave out what only the plural of the English needs, so compare with all its forms.
    wanted = [set(PLACEHOLDER.findall(text)) for text in _strings(message.id)]
    return all(set(PLACEHOLDER.findall(text)) in wanted for text in translations)


def obsolete(room: str, template: Catalog) -> list[str]:
    """Translations of texts that no longer stand in the room."""
    unused = entries(stored(room)).keys() - entries(template).keys()
    return [f"{room}: {text!r} is no longer used (make i18n)" for _context, text in unused]


def contradictions(rooms: dict[str, Catalog]) -> list[str]:
    """Texts that two rooms translate differently: one would win by chance."""
    seen: dict[Key, dict[tuple[str, ...], str]] = defaultdict(dict)
    for room in rooms:
        for key, message in entries(stored(room)).items():
            if strings := tuple(_strings(message.string)):
                seen[key][strings] = room
    both = {text: sorted(by.values()) for (_context, text), by in seen.items() if len(by) > 1}
    return [
        f"{' and '.join(names)} translate {text!r} differently (settle on one, or use pgettext)"
        for text, names in both.items()
    ]


class BareText(HTMLParser):
    """Collects words of a template that would be shown and pass through no translation."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._open: list[tuple[str, bool]] = []  # tag, and whether its text is silent

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        silent = tag in SILENT or given.get("translate") == "no" or given.get("aria-hidden") == "true"
        for name in SHOWN_ATTRIBUTES & set(given):
            self._look(given[name] or "")
        if tag not in VOID:
            self._open.append((tag, silent or self._is_silent()))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        tags = [name for name, _silent in self._open]
        if tag in tags:
            del self._open[len(tags) - 1 - tags[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if not self._is_silent():
            self._look(data)

    def _is_silent(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def _look(self, text: str) -> None:
        if NATURAL.search(text):
            self.found.append((self.getpos()[0], " ".join(text.split())[:60]))


def _line_ends(match: re.Match[str]) -> str:
    """As many line ends as the text had: line numbers hold."""
    return "\n" * match.group(0).count("\n")


def bare_texts(path: Path) -> list[str]:
    """Texts in a template outside `_()`; mark a proper name with translate="no"."""
    parser = BareText()
    text = JINJA_COMMENT.sub(_line_ends, path.read_text(encoding="utf-8"))
    parser.feed(JINJA.sub(_line_ends, WORDLESS_MACRO.sub(_line_ends, text)))
    return [f"{path.relative_to(ROOT)}:{line} not translatable: {text!r}" for line, text in parser.found]


def run_check() -> int:
    """Print what is missing; 1 if anything is."""
    rooms = extracted()
    problems = contradictions(rooms)
    for room, template in sorted(rooms.items()):
        problems += missing(room, template) + obsolete(room, template)
        texts = [text for _context, text in entries(template)]
        problems += [
            f"{room}: msgid is not English: {text!r}" for text in texts if CHINESE.search(text) and room != DECLARED
        ]
    for path in sources():
        problems += bare_texts(path) if path.suffix == ".html" else []
    print("\n".join(problems) or f"translations complete: {_count(rooms)} texts")
    return 1 if problems else 0


COMMANDS = {"extract": run_extract, "compile": run_compile, "check": run_check}

if __name__ == "__main__":
    sys.exit(COMMANDS[sys.argv[1]]())
