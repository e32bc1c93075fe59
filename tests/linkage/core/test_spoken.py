from linkage.core.spoken import mark


def test_an_element_with_nothing_but_a_name_is_marked_itself():
    assert mark('<a href="/x">陈阿珠</a>') == '<a lang="zh" href="/x">陈阿珠</a>'
    assert mark("<option>盈翠社区</option>") == '<option lang="zh">盈翠社区</option>'


def test_a_name_inside_a_sentence_gets_a_span_of_its_own():
    assert mark("<p>陈阿珠 knows the <b>home</b></p>") == '<p><span lang="zh">陈阿珠</span> knows the <b>home</b></p>'


def test_what_is_marked_or_not_read_stays():
    for page in (
        '<a lang="zh-CN" href="/">简体中文</a>',
        "<title>陈阿珠</title>",
        "<textarea>陈</textarea>",
        "<p>none</p>",
    ):
        assert mark(page) == page


def test_pages_in_english_are_marked_and_those_in_chinese_are_not(sign_in):
    client = sign_in("clerk")
    assert 'lang="zh">莲花北社区' not in client.get("/").get_data(as_text=True)
    client.set_cookie("lang", "en")
    assert 'lang="zh">莲花北社区' in client.get("/").get_data(as_text=True)
