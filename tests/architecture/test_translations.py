"""The check of translations finds what it must find."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("i18n", ROOT / "scripts" / "i18n.py")
i18n = importlib.util.module_from_spec(spec)
spec.loader.exec_module(i18n)


def bare(tmp_path, monkeypatch, template):
    monkeypatch.setattr(i18n, "ROOT", tmp_path)
    path = tmp_path / "page.html"
    path.write_text(template)
    return [problem.split("'")[1] for problem in i18n.bare_texts(path)]


@pytest.mark.parametrize(
    "template",
    [
        "<p>Good morning</p>",
        "<p>{{ name }} 早上好</p>",
        '<input placeholder="Good morning">',
        "{% if a %}Good{% endif %}",
    ],
)
def test_words_that_pass_through_no_translation_are_found(tmp_path, monkeypatch, template):
    assert len(bare(tmp_path, monkeypatch, template)) == 1


@pytest.mark.parametrize(
    "template",
    [
        '<p>{{ _("Good morning") }}</p>',
        '<b translate="no">Linkage <i>邻联</i></b>',
        '<span aria-hidden="true"><span>Aa</span> Bb</span>',
        "{# a comment with a > and words #}",
        "{% macro _classes(kind) %}btn btn-{{ kind }}{% endmacro %}",
        "<script>const words = 1;</script>",
    ],
)
def test_what_is_translated_or_shown_to_nobody_is_left_alone(tmp_path, monkeypatch, template):
    assert bare(tmp_path, monkeypatch, template) == []


def test_after_a_hidden_element_words_are_looked_at_again(tmp_path, monkeypatch):
    assert bare(tmp_path, monkeypatch, '<i aria-hidden="true">x</i><img aria-hidden="true">Hello') == ["Hello"]


@pytest.fixture
def room(tmp_path, monkeypatch):
    """`room(source, catalogue)` makes a package of one room and tells what is wrong with it."""
    monkeypatch.setattr(i18n, "PACKAGE", tmp_path)
    monkeypatch.setattr(i18n, "ROOMS", tmp_path / "translations")
    (tmp_path / "translations").mkdir()
    (tmp_path / "needs").mkdir()
    (tmp_path / "needs" / "__init__.py").touch()

    def check(source, catalogue):
        (tmp_path / "needs" / "pages.py").write_text(source)
        (tmp_path / "translations" / "needs.zh.po").write_text(i18n.HEADER.decode() + catalogue)
        template = i18n.extracted()["needs"]
        return i18n.missing("needs", template) + i18n.obsolete("needs", template)

    return check


def test_a_complete_catalogue_has_nothing_missing(room):
    assert room('_("Hello %(name)s")', 'msgid "Hello %(name)s"\nmsgstr "%(name)s，你好"\n') == []


@pytest.mark.parametrize(
    ("catalogue", "said"),
    [
        ("", "no translation"),
        ('msgid "Hello %(name)s"\nmsgstr ""\n', "no translation"),
        ('#, fuzzy\nmsgid "Hello %(name)s"\nmsgstr "%(name)s，你好"\n', "no translation"),
        ('msgid "Hello %(name)s"\nmsgstr "你好"\n', "placeholders"),
        ('msgid "Hello %(name)s"\nmsgstr "%(name)s，你好"\n\nmsgid "Gone"\nmsgstr "没了"\n', "no longer used"),
    ],
)
def test_an_incomplete_catalogue_is_found(room, catalogue, said):
    assert said in " ".join(room('_("Hello %(name)s")', catalogue))
