"""The gallery on a port of its own."""

import threading

import pytest
from werkzeug.serving import make_server

from tests.design.gallery_app import create_gallery


@pytest.fixture(scope="session")
def gallery():
    """The address of the running gallery."""
    server = make_server("127.0.0.1", 0, create_gallery(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()


@pytest.fixture
def open_page(gallery, browser):
    """`open_page("today", 360, theme="dark", text=200)`; `page.troubles` is what the browser complained of."""
    contexts = []

    def show(name, width=1280, theme="light", text=100):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=theme, locale="zh-CN", reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.troubles = []
        page.on("console", lambda message: page.troubles.append(message.text))
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.goto(f"{gallery}/{name}", wait_until="load")
        if text != 100:
            page.evaluate("size => { document.documentElement.style.fontSize = `${size}%`; }", text)
        return page

    yield show
    for context in contexts:
        context.close()
