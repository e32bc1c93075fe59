"""What the small scripts promise: one click one request, nothing typed is lost, errors lead to their field."""

import pytest

pytestmark = pytest.mark.journey


def test_a_double_click_sends_one_request(open_page):
    page = open_page("today")
    sent = []
    page.on("request", lambda request: sent.append(request.method) if request.method == "POST" else None)
    page.locator("form.post button").first.dblclick(no_wait_after=True)
    page.wait_for_load_state("networkidle")
    assert sent == ["POST"]


def test_what_was_typed_survives_a_reload_but_private_fields_do_not(open_page):
    page = open_page("components")
    page.locator("#f-note").fill("三楼左边")
    page.locator("#f-id_number").fill("350203195006180028")
    page.locator("#f-pw").fill("geheim")
    page.locator("label", has_text="女护理员").click()
    # The sample page shows errors, and a page with errors brings its own values: look at one without.
    stored = page.evaluate("JSON.stringify(sessionStorage)")
    assert "三楼左边" in stored
    assert "350203195006180028" not in stored
    assert "geheim" not in stored


def test_a_draft_comes_back_and_signing_out_forgets_it(open_page):
    page = open_page("need")
    page.evaluate("document.querySelectorAll('[aria-invalid]').forEach(each => each.removeAttribute('aria-invalid'))")
    page.locator("#f-best").fill("10:15")
    page.locator("label", has_text="助餐").click()
    page.add_init_script(
        "addEventListener('readystatechange', () => document.querySelectorAll('[aria-invalid]')"
        ".forEach(each => each.removeAttribute('aria-invalid')), {capture: true})"
    )
    page.reload(wait_until="networkidle")
    assert page.locator("#f-best").input_value() == "10:15"
    assert page.locator("#f-service-1").is_checked()
    page.locator(".bar-account > summary").click()
    page.locator(".bar-account [data-forget]").click()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('draft:'))") == []


def test_an_error_takes_the_focus_and_leads_into_its_field(open_page):
    page = open_page("components")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    page.locator(".notice-list a").first.click()
    assert page.evaluate("document.activeElement.id") == "f-id_number"


def test_text_size_and_colours_are_kept_and_drawn_by_the_server(open_page):
    page = open_page("today")
    page.locator(".bar-only > summary").click()
    page.locator(".bar-only input[data-set=text][value=large]").check(force=True)
    page.locator(".bar-only input[data-set=theme][value=dark]").check(force=True)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-text") == "large"
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_escape_and_a_click_elsewhere_close_a_menu(open_page):
    page = open_page("today")
    menu = page.locator(".bar-account")
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    menu.locator("summary").click()
    page.locator("h1").click()
    assert menu.get_attribute("open") is None


def test_a_password_can_be_shown_and_hidden(open_page):
    page = open_page("signin")
    button = page.locator("[data-show]")
    button.click()
    assert page.locator("#f-password").get_attribute("type") == "text"
    button.click()
    assert page.locator("#f-password").get_attribute("type") == "password"


def test_a_sent_form_that_is_changed_afterwards_is_a_new_request(open_page):
    page = open_page("need")
    page.route("**/press", lambda route: route.fulfill(status=204))
    key = page.locator("form[data-draft] input[name=_idem]")
    first = key.input_value()
    page.locator(".form-foot button").first.click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert key.input_value() == first
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    page.locator("#f-best").fill("10:45")
    assert key.input_value() != first
