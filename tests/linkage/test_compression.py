"""Text goes compressed to our own pages, and never to what another site asked for."""

import gzip

import pytest

from linkage.core.compression import packed

GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.fixture
def browser(app):
    return app.test_client()


def test_a_page_is_compressed_and_says_the_same(browser):
    plain = browser.get("/login?next=/needs/")
    small = browser.get("/login?next=/needs/", headers=GZIP)
    assert small.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in small.headers["Vary"]
    assert len(small.data) < 0.6 * len(plain.data)
    assert gzip.decompress(small.data)[:200] == plain.data[:200]
    assert int(small.headers["Content-Length"]) == len(small.data)


def test_what_another_site_asked_for_is_not_compressed(browser):
    answer = browser.get("/login?next=/needs/", headers={**GZIP, "Sec-Fetch-Site": "cross-site"})
    assert "Content-Encoding" not in answer.headers


def test_the_length_of_a_page_tells_nothing(browser):
    assert len({len(browser.get("/login", headers=GZIP).data) for _time in range(12)}) > 3


def test_a_file_of_ours_is_kept_for_a_year_and_asked_for_again_by_its_mark(browser):
    first = browser.get("/static/css/app.css?v=1", headers=GZIP)
    assert first.headers["Content-Encoding"] == "gzip" and "max-age=31536000" in first.headers["Cache-Control"]
    again = browser.get("/static/css/app.css?v=1", headers={**GZIP, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("size", [0, 1, 5, 100_000])
@pytest.mark.parametrize("padding", [0, 1, 100])
def test_every_program_can_unpack_it(size, padding):
    assert gzip.decompress(packed(b"x" * size, padding)) == b"x" * size
