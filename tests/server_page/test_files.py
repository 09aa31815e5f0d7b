"""The page's files, their headers, and the pictures of pages; no browser is needed."""

import base64
import io

import pytest
from page_parts import Start
from serving import Running
from small_pdf import SmallPdf

KEY = "sesame-open-0123456789"


def test_page_and_files_are_open_and_everything_else_is_not(start: Start) -> None:
    with start(keys=(KEY,)) as running:
        running.key = None
        for path in ("/", "/page/js/main.js", "/page/css/base.css", "/page/sun.svg", "/health"):
            assert running.get(path).status == 200, path
        assert running.get("/v1/model-card").error["code"] == "invalid_api_key"
        refused = running.upload("/v1/page-pictures", b"%PDF-1.4")
        assert refused.error["code"] == "invalid_api_key"


def test_headers_let_nothing_else_run(api: Running) -> None:
    answer = api.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert api.get("/page/js/main.js").headers["content-type"] == "text/javascript; charset=utf-8"


def test_unchanged_files_are_not_sent_again(api: Running) -> None:
    first = api.get("/page/css/base.css")
    again = api.get("/page/css/base.css", **{"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert api.get("/page/css/base.css", **{"If-None-Match": '"other"'}).status == 200
    assert api.request("HEAD", "/").body == b""


@pytest.mark.parametrize(
    "path",
    [
        "/page/../page_routes.py",
        "/page/..%2f..%2fserver/keys.py",
        "/page/%2e%2e/keys.py",
        "/page//etc/passwd",
        "/page/",
        "/page/js",
        "/index.html",
    ],
)
def test_nothing_but_the_page_is_served(api: Running, path: str) -> None:
    assert api.get(path).status == 404


@pytest.fixture(scope="module")
def paper() -> bytes:
    pdf = SmallPdf(width=400, height=600)
    for number in range(1, 4):
        pdf.page().filled(0, 0, 400, 100 * number, (1, 0, 0)).text(50, 550, f"Page {number}")
    return pdf.data()


def test_pictures_of_pages(api: Running, paper: bytes) -> None:
    from PIL import Image

    answer = api.upload("/v1/page-pictures", paper, pages="2-9", width="200").json
    assert answer["total_pages"] == 3
    assert [page["page"] for page in answer["pages"]] == [2, 3]
    first = answer["pages"][0]
    image = Image.open(io.BytesIO(base64.b64decode(first["base64"])))
    assert image.size == (first["width"], first["height"]) == (200, 300)
    red, white = image.getpixel((100, 50)), image.getpixel((100, 150))
    assert isinstance(red, tuple)
    assert isinstance(white, tuple)
    assert red[0] > 200 > 60 > red[1]
    assert min(white) > 200


def test_turned_pages_are_drawn_upright(api: Running, paper: bytes) -> None:
    answer = api.upload("/v1/page-pictures", paper, pages="1", width="200", angles='{"1": 90}').json
    assert (answer["pages"][0]["width"], answer["pages"][0]["height"]) == (300, 200)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"pages": "0-2"}, "pages"),
        ({"pages": "3-1"}, "pages"),
        ({"pages": "1-17"}, "pages"),
        ({"pages": "all"}, "pages"),
        ({"width": "9"}, "width"),
        ({"width": "100000"}, "width"),
        ({"angles": "[1]"}, "angles"),
        ({"angles": '{"a": 1}'}, "angles"),
    ],
)
def test_wrong_orders_are_refused(
    api: Running, paper: bytes, fields: dict[str, str], param: str
) -> None:
    answer = api.upload("/v1/page-pictures", paper, **fields)
    assert answer.status == 400
    assert answer.error["param"] == param


def test_what_cannot_be_drawn_is_said(api: Running) -> None:
    assert api.upload("/v1/page-pictures", b"words").error["code"] == "unsupported_format"
    assert api.upload("/v1/page-pictures", b"%PDF-1.7 nothing").error["code"] == "invalid_document"
