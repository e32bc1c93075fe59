"""Coming in: the demo's accounts, an invitation handed over, an account that is stopped, guesses by strangers."""

from tests.journeys.visitor import PHONE

ROLES = 9
PASSWORD = "four words to remember"  # noqa: S105


def test_every_role_enters_from_the_sign_in_page_and_lands_on_a_page_of_its_own(site, visit):
    titles = []
    for place in range(ROLES):
        visitor = visit(size=PHONE if place in (4, 5, 6) else (1280, 800))
        page = visitor.open("/login")
        page.get_by_role("button", name="进入").nth(place).click()
        page.wait_for_url(lambda address: "/login" not in address)
        titles.append(page.locator("h1").inner_text())
        assert visitor.axe() == []
    assert len(titles) == ROLES and all(titles)


def test_an_invitation_is_handed_over_used_once_and_the_account_stopped(site, visit):
    admin = visit("administrator")
    page = admin.open("/users/new")
    page.get_by_label("姓名").fill("许多福")
    page.get_by_label("角色").select_option("community")
    page.get_by_label("在哪里").fill("盈翠社区")
    page.get_by_role("button", name="开通账号").click()
    link = page.locator(".qr-text").inner_text()
    assert page.locator(".qr-code svg").is_visible()
    account_page = page.url

    phone = visit(size=PHONE)
    on_phone = phone.open(link)
    assert phone.axe() == []
    on_phone.get_by_label("新密码", exact=True).fill(PASSWORD)
    on_phone.get_by_label("再输一次新密码").fill(PASSWORD)
    on_phone.get_by_role("button", name="设好密码并进入").click()
    on_phone.wait_for_url(lambda address: "/invitation/" not in address)
    assert on_phone.locator("h1").is_visible()

    other = visit(size=PHONE)
    assert other.open(link).get_by_role("heading", name="这个链接已失效").is_visible()

    page.goto(account_page)
    page.get_by_role("button", name="停用").click()
    page.get_by_text("账号已停用").wait_for()
    on_phone.goto("/account")
    assert "/login" in on_phone.url


def test_strangers_who_guess_are_slowed_down_and_the_owner_is_not(site, visit):
    owner = visit("coordinator")
    account = site.account("coordinator")
    owner.open("/account").locator("details.bar-account summary").click()
    owner.page.locator(".bar-account").get_by_role("button", name="退出").click()
    owner.page.wait_for_url(lambda address: "/login" in address)
    stranger = visit()
    for _ in range(6):
        page = stranger.open("/login")
        form = page.locator("form").filter(has=page.locator("input[type=password]"))
        form.locator("input[autocomplete=username]").fill(account["username"])
        form.locator("input[type=password]").fill("a wild guess")
        form.locator("button[type=submit]").click()
        page.get_by_role("alert").wait_for()
    owner.sign_in(account)
    assert owner.page.locator("h1").is_visible()
