"""A throw-away house with made-up people: every macro and whole pages. `python tests/design/gallery_app.py PORT`.

It stands outside the product, so that the look can be judged before and without the rooms.
"""

import itertools
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import segno
from flask import Flask, redirect, render_template, request, send_file, url_for
from flask_babel import Babel
from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup

from linkage.core import formats, look

PAGES = ["components", "signin", "today", "plan", "visit", "elder", "household", "need", "sheet", "offer"]
NOW = datetime(2026, 11, 24, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
HERE = Path(__file__).parent
LINKAGE = Path(look.__file__).resolve().parent.parent
NAVS = {
    "clerk": [
        ("今日", "check2-square", 9, "today"),
        ("家庭", "house", None, "household"),
        ("需求", "card-list", None, "need"),
        ("导入", "file-earmark-spreadsheet", None, "sheet"),
        ("计划", "calendar-week", None, "plan"),
    ],
    "coordinator": [
        ("计划", "calendar-week", 6, "plan"),
        ("需求", "card-list", None, "need"),
        ("人手", "people", None, "components"),
        ("合同", "file-earmark-text", None, "sheet"),
        ("覆盖", "pie-chart", None, "today"),
    ],
    "carer": [
        ("今天", "geo-alt", None, "visit"),
        ("排班", "calendar3", None, "plan"),
        ("报风险", "exclamation-triangle", None, "need"),
        ("工时", "clock-history", None, "sheet"),
        ("我的", "person", None, "components"),
    ],
}
WHO = {
    "clerk": ("苏晓梅", "社区工作者", "莲花北社区", "嘉莲街道·思明区"),
    "coordinator": ("林志远", "调度员", "嘉莲街道", "思明区·11 个社区"),
    "carer": ("吴丽珍", "护理员", "吴丽珍", "今天 5 家，第 4 家"),
}
ROLE_OF = {"plan": "coordinator", "visit": "carer", "offer": "carer"}


def shell(page: str) -> dict:
    """What core hands to base.html, for the role that owns the page."""
    role = ROLE_OF.get(page, "clerk")
    name, role_label, scope, note = WHO[role]
    nav = [
        {"label": label, "icon": icon, "badge": badge, "url": url_for("page", name=to), "active": to == page}
        for label, icon, badge, to in NAVS[role]
    ]
    return {
        "current_user": SimpleNamespace(person=SimpleNamespace(name=name), get_id=lambda: role),
        "role_label": role_label,
        "scope_label": scope,
        "scope_note": note,
        "nav": nav,
        "search_url": url_for("page", name="components"),
        "inbox_url": url_for("page", name="offer"),
        "unread": 2,
        "help_url": url_for("page", name="components"),
        "account_links": [{"url": url_for("page", name="components"), "label": "我的资料", "icon": "person"}],
        "sign_out_url": url_for("press"),
        "primary_action": {"url": url_for("page", name="need"), "label": "发布需求"} if role == "clerk" else None,
    }


def create_gallery(translations: str = str(LINKAGE / "translations")) -> Flask:
    """The gallery as a Flask app with the house's templates and static files, and its strict CSP."""
    app = Flask(__name__, static_folder=str(LINKAGE / "static"))
    app.secret_key = "gallery"
    app.config.update(BABEL_TRANSLATION_DIRECTORIES=translations)
    app.jinja_loader = ChoiceLoader([FileSystemLoader(HERE / "templates"), FileSystemLoader(LINKAGE / "templates")])
    numbers = itertools.count()
    Babel(app, locale_selector=lambda: request.args.get("lang", "zh"))
    app.jinja_env.globals.update(csrf_token=lambda: "token", idem=lambda: f"key-{next(numbers)}")
    formats.init_app(app)
    look.init_app(app)

    @app.context_processor
    def house():
        return {"lang": request.args.get("lang", "zh"), "now": NOW}

    @app.get("/static/vendor/bootstrap-icons.svg")
    def icons():
        """All icons: the served file holds only those named in the product, and the gallery names others."""
        return send_file(LINKAGE.parent.parent / "node_modules/bootstrap-icons/bootstrap-icons.svg")

    @app.get("/<name>")
    def page(name):
        qr = Markup(segno.make("https://example.invalid/i/abc").svg_inline(scale=4, border=0, omitsize=True))
        return render_template(f"{name}.html", **shell(name), qr=qr, states=look.STATES)

    @app.get("/")
    def first():
        return redirect(url_for("page", name="components"))

    @app.post("/press")
    def press():
        return redirect(url_for("error", status=404))

    @app.get("/error/<int:status>")
    def error(status):
        return render_template("errors/error.html", status=status, title="这里什么都没有"), status

    @app.after_request
    def strict(response):
        response.headers["Content-Security-Policy"] = "default-src 'self'; img-src 'self' data:"
        return response

    return app


if __name__ == "__main__":
    create_gallery().run(port=int(sys.argv[1]) if len(sys.argv) > 1 else 5091, threaded=True)
