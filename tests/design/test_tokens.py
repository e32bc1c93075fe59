"""The look without a browser: contrast, completeness, and colours only from where they belong."""

import re
from pathlib import Path

import pytest

from linkage.core import look

LINKAGE = Path(look.__file__).resolve().parent.parent
CSS = LINKAGE / "static" / "css"
TEMPLATES = LINKAGE / "templates"
ROOT = LINKAGE.parent.parent
TEXT = ["ink", "ink-2", "ink-3", "accent-text", "ok", "warn", "bad", "info"]
GROUNDS = ["ground", "surface", "sunken"]
TINTS = {"ok": "ok-tint", "warn": "warn-tint", "bad": "bad-tint", "info": "info-tint", "accent-text": "accent-tint"}


def colours(selector):
    """Names and colours of the first block with this selector."""
    sheet = (CSS / "tokens.css").read_text(encoding="utf-8")
    block = sheet[sheet.index(selector + " {") :].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def luminance(colour):
    """WCAG 2.2 relative luminance of #rrggbb."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [":root", ':root[data-theme="dark"]'])
def test_every_text_colour_has_4_5_on_every_ground_and_edges_have_3(theme):
    tokens = colours(theme)
    pairs = [(text, ground) for text in TEXT for ground in GROUNDS] + list(TINTS.items())
    pairs += [("on-accent", "accent"), ("on-accent", "accent-hover"), ("on-bad", "bad"), ("ink", "accent-tint")]
    pairs += [("ink-2", tint) for tint in TINTS.values()] + [("ink-2", "line")]
    weak = {pair: contrast(tokens[pair[0]], tokens[pair[1]]) for pair in pairs}
    assert {pair: value for pair, value in weak.items() if value < 4.5} == {}
    edges = [(edge, ground) for edge in ("line-strong", "accent", "accent-mid") for ground in GROUNDS]
    assert {pair for pair in edges if contrast(tokens[pair[0]], tokens[pair[1]]) < 3} == set()


def test_the_device_s_dark_and_the_chosen_dark_are_the_same():
    assert colours(':root[data-theme="dark"]') == colours(':root:not([data-theme="light"])')
    assert colours(":root").keys() == colours(':root[data-theme="dark"]').keys()


@pytest.mark.parametrize("sheet", sorted({p.name for p in CSS.glob("*.css")} - {"tokens.css"}))
def test_a_style_sheet_names_no_colour_of_its_own_and_only_known_tokens(sheet):
    text = (CSS / sheet).read_text(encoding="utf-8")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;, ])|rgba?\(", text) == []
    known = set(re.findall(r"--([\w-]+):", "".join(p.read_text(encoding="utf-8") for p in CSS.glob("*.css"))))
    assert set(re.findall(r"var\(--([\w-]+)", text)) - known == set()


def test_no_page_carries_inline_style_or_script():
    pages = list(LINKAGE.rglob("*.html"))
    inline = re.compile(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son\w+=|hx-on", re.I)
    assert [path.name for path in pages if inline.search(path.read_text(encoding="utf-8"))] == []


def macros(path):
    return re.findall(r"{%-? macro ([a-z]\w*)\(", path.read_text(encoding="utf-8"))


def test_one_import_gives_every_macro_and_the_docs_name_each():
    names = {name for path in (TEMPLATES / "ui").glob("*.html") for name in macros(path)}
    given = set(re.findall(r"{% set (\w+) =", (TEMPLATES / "ui.html").read_text(encoding="utf-8")))
    assert given == names
    docs = (ROOT / "docs" / "ui.md").read_text(encoding="utf-8")
    table = docs[docs.index("## What there is") : docs.index("**Buttons.**")]
    assert names - set(re.findall(r"\w+", table)) == set()


@pytest.mark.parametrize("path", sorted((TEMPLATES / "ui").glob("*.html")), ids=lambda path: path.stem)
def test_each_macro_is_described_at_the_top_of_its_file(path):
    text = path.read_text(encoding="utf-8")
    head = text[: text.index("-#}")]
    assert [name for name in macros(path) if not re.search(rf"\b{name}\(", head)] == []


def test_every_state_has_an_icon_of_the_set_and_a_tone():
    sprite = (ROOT / "node_modules/bootstrap-icons/bootstrap-icons.svg").read_text(encoding="utf-8")
    known = set(re.findall(r'id="([\w-]+)"', sprite))
    looks = [each for states in look.STATES.values() for each in states.values()]
    assert {each.icon for each in looks} - known == set()
    assert {each.tone for each in looks} <= {"ok", "warn", "bad", "info", "accent", "quiet"}


ICON_NAMES = re.compile(
    r"""(?:\bicon\(|\bicon=|["']icon["']:\s*)["']([a-z0-9-]+)["']"""
    r"""|["']([a-z0-9]+-[a-z0-9-]+)["'],\s*["'](?:ok|warn|bad|info|accent|quiet)["']"""
)


def test_every_icon_that_a_page_names_exists():
    sprite = (ROOT / "node_modules/bootstrap-icons/bootstrap-icons.svg").read_text(encoding="utf-8")
    known = set(re.findall(r'id="([\w-]+)"', sprite)) | {"brand"}
    sources = [path for path in LINKAGE.rglob("*") if path.suffix in {".html", ".py"}]
    named = {
        (path.name, one or other)
        for path in sources
        for one, other in ICON_NAMES.findall(path.read_text(encoding="utf-8"))
    }
    assert {(file, name) for file, name in named if name not in known} == set()


def test_an_unknown_state_is_refused_by_name():
    with pytest.raises(KeyError, match="known: .*late"):
        look.look("visit", "lat")


def test_the_grid_has_a_column_for_every_five_minutes_of_a_day():
    sheet = (CSS / "grid.css").read_text(encoding="utf-8")
    assert {int(n) for n in re.findall(r"^\.g(\d+) ", sheet, re.M)} == set(range(288))
    assert {int(n) for n in re.findall(r"^\.w(\d+) ", sheet, re.M)} == set(range(1, 289))
