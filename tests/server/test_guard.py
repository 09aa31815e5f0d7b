"""Keys, origins, hosts, unknown routes: who may come in, and the form of every refusal."""

from pathlib import Path

import pytest
from serving import Client, Running, until

from solarmini.errors import ConfigError
from solarmini.server.keys import Keys, check_exposure, is_loopback, read_keys
from solarmini.server.run import Server
from solarmini.server.settings import ServeSettings

KEY = "sk-solar-0123456789"


@pytest.fixture(scope="module")
def locked(start):
    with start(keys=(KEY, "sk-another-key"), wait=False) as running:
        running.key = KEY
        running.wait_until_ready()
        yield running


def test_without_a_key_nothing_is_told(locked: Running) -> None:
    stranger = Client(locked.port)
    for key in (None, "sk-solar-012345678", KEY + "x", "", "ü" * 20):
        headers = (
            {} if key is None else {"Authorization": f"Bearer {key}".encode().decode("latin1")}
        )
        for method, path in (
            ("GET", "/v1/models"),
            ("POST", "/v1/chat/completions"),
            ("GET", "/metrics"),
        ):
            answer = stranger.request(method, path, headers=headers)
            assert answer.status == 401
            assert answer.error["code"] == "invalid_api_key"
            if key:
                assert key not in answer.body.decode()
    assert stranger.get("/health").status == 200
    assert Client(locked.port, key="sk-another-key").get("/v1/models").status == 200
    assert locked.chat().status == 200
    basic = stranger.get("/v1/models", Authorization=f"Basic {KEY}")
    assert basic.status == 401


def test_the_log_names_clients_by_no_key(locked: Running) -> None:
    locked.chat("A secret of mine")
    text = locked.log.getvalue()
    assert KEY not in text
    assert "secret of mine" not in text
    until(lambda: locked.events("request")[-1]["route"] == "chat_completions")
    last = locked.events("request")[-1]
    assert last["status"] == 200
    assert last["client"] == Keys([KEY]).client(f"Bearer {KEY}")
    assert last["model"] == "solar-mini"


def test_unknown_routes_and_methods(api: Running) -> None:
    answer = api.get("/v1/nowhere")
    assert (answer.status, answer.error["code"]) == (404, "unknown_url")
    answer = api.get("/v1/chat/completions")
    assert (answer.status, answer.error["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert api.request("PUT", "/v1/documents/x").headers["allow"] == "DELETE, GET, HEAD"
    assert api.get("/v1/models/none").error["code"] == "model_not_found"


def test_other_pages_are_not_answered(api: Running) -> None:
    for path in ("/v1/models", "/v1/chat/completions"):
        answer = api.request("POST", path, b"{}", {"Origin": "https://evil.example"})
        assert (answer.status, answer.error["code"]) == (403, "origin_not_allowed")
        assert "access-control-allow-origin" not in answer.headers
    ours = api.get("/v1/models", Origin=f"http://127.0.0.1:{api.port}")
    assert ours.status == 200
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert api.request("OPTIONS", "/v1/models", headers=asked).status == 403


def test_a_name_that_points_here_from_elsewhere_is_refused(api: Running) -> None:
    answer = api.get("/v1/models", Host="rebound.example")
    assert (answer.status, answer.error["code"]) == (403, "host_not_allowed")
    for header in ("Host", "Origin"):
        assert (
            api.get("/v1/models", **{header: "[::1" if header == "Host" else "http://[::1"}).status
            == 400
        )
    for host in (f"localhost:{api.port}", "[::1]:80", "127.0.0.1"):
        assert api.get("/v1/models", Host=host).status == 200


def test_a_page_can_be_allowed(start) -> None:
    with start(origins=("https://good.example",)) as running:
        asked = {"Origin": "https://good.example", "Access-Control-Request-Method": "POST"}
        before = running.request("OPTIONS", "/v1/chat/completions", headers=asked)
        assert before.status == 204
        assert before.headers["access-control-allow-origin"] == "https://good.example"
        answer = running.get("/v1/models", Origin="https://good.example")
        assert answer.headers["access-control-allow-origin"] == "https://good.example"
        assert running.get("/v1/models", Origin="https://evil.example").status == 403


def test_every_answer_has_an_id(api: Running) -> None:
    first, second = api.get("/health"), api.get("/v1/nowhere")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    until(lambda: api.events("request")[-1]["id"] == second.headers["x-request-id"])


def test_keys_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text("# ours\nsk-0123456789  # Kim\n\nsk-abcdefghij\n")
    assert read_keys(path) == ("sk-0123456789", "sk-abcdefghij")
    for text in ("", "# nothing\n", "short\n", "has a space in it\n", "schlüssel-lang\n"):
        path.write_text(text)
        with pytest.raises(ConfigError, match="key"):
            read_keys(path)
    with pytest.raises(ConfigError, match="read"):
        read_keys(tmp_path / "none")


def test_beyond_this_machine_only_with_a_key() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    for host in ("0.0.0.0", "::", "192.168.0.1", "example.org"):
        assert not is_loopback(host)
        with pytest.raises(ConfigError, match="no API key"):
            check_exposure(host, ())
        check_exposure(host, (KEY,))


def test_a_port_that_is_taken_is_said(api: Running) -> None:
    engine = {"model": "none.gguf"}
    with pytest.raises(ConfigError, match="cannot listen"):
        Server(ServeSettings.model_validate({"engine": engine, "port": api.port}))
