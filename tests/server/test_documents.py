"""Documents over HTTP: Upstage's routes, and our own."""

import base64
import json
import time
from typing import Any

import pytest
from serving import Answer, Client, Running, until
from small_pdf import SmallPdf, report

from solarmini.layout import parse

DIGITIZATION = "/v1/document-digitization"
FAST = {"mode": "fast"}


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return report(2)


def ready(api: Running, path: str, **headers: str) -> Answer:
    """Ask for an asynchronous request until it has ended."""
    end = time.monotonic() + 60
    while (answer := api.get(path, **headers)).json["status"] in ("submitted", "started"):
        assert time.monotonic() < end
        time.sleep(0.1)
    return answer


def test_a_document_is_read_as_the_reader_reads_it(api: Running, pdf: bytes) -> None:
    answer = api.upload(DIGITIZATION, pdf, output_formats="['html', 'text']", **FAST).json
    expected = list(parse(pdf, mode="fast").elements)
    assert [e["id"] for e in answer["elements"]] == [e.id for e in expected]
    assert answer["usage"] == {"pages": 2, "fast": 2}
    assert "problems" not in answer
    for element, ours in zip(answer["elements"], expected, strict=True):
        assert element["page"] == ours.page
        assert element["content"]["markdown"] == ""
        assert element["content"]["html"].endswith("\n")
        assert element["content"]["text"].endswith("\n")
        assert len(element["coordinates"]) == 4
        assert all(0 <= p[axis] <= 1 for p in element["coordinates"] for axis in "xy")
    assert answer["content"]["html"]


@pytest.mark.parametrize("said", ["['markdown']", '["markdown"]', "markdown", " Markdown "])
def test_lists_in_every_dialect(api: Running, pdf: bytes, said: str) -> None:
    answer = api.upload(DIGITIZATION, pdf, output_formats=said, coordinates="False", **FAST).json
    assert answer["content"]["html"] == ""
    assert answer["content"]["markdown"]
    assert all("coordinates" not in element for element in answer["elements"])


def test_a_part_without_a_file_name_and_the_older_address(api: Running, pdf: bytes) -> None:
    first = api.upload(DIGITIZATION, pdf, **FAST).json
    again = api.upload("/v1/document-ai/document-parse", pdf, None, **FAST).json
    assert again["elements"] == first["elements"]


def test_the_first_layout_service(api: Running, pdf: bytes) -> None:
    answer = api.upload("/v1/document-ai/layout-analysis", pdf, ocr="False").json
    assert answer["billed_pages"] == 2
    width = answer["metadata"]["pages"][0]["width"]
    for element in answer["elements"]:
        assert set(element) == {"bounding_box", "category", "html", "id", "page", "text"}
        assert all(0 <= point["x"] <= width for point in element["bounding_box"])


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "invalid_request_body"),
        (b"just text, no document", 415, "unsupported_format"),
        (b"\x7fELF\0\0\0", 415, "unsupported_format"),
        (b"%PDF-1.4 and nothing more", 400, "invalid_document"),
    ],
)
def test_what_is_no_document(api: Running, data: bytes, status: int, code: str) -> None:
    answer = api.upload(DIGITIZATION, data, **FAST)
    assert answer.status == status
    assert answer.error["code"] == code
    if status == 415:
        assert answer.error["message"].startswith("unsupported document format")
    assert str(api.server.state.folder) not in answer.error["message"]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("model", "gpt-parse", 404),
        ("ocr", "perhaps", 400),
        ("output_formats", "['docx']", 400),
        ("base64_encoding", "['nonsense']", 400),
        ("coordinates", "perhaps", 400),
        ("mode", "quick", 400),
    ],
)
def test_fields_that_mean_nothing(
    api: Running, pdf: bytes, field: str, value: str, status: int
) -> None:
    answer = api.upload(DIGITIZATION, pdf, **{field: value})
    assert answer.status == status
    assert answer.error["param"] == field


def test_a_form_without_a_document(api: Running) -> None:
    answer = api.upload(DIGITIZATION, b"x", None, part="nothing")
    assert (answer.status, answer.error["param"]) == (400, "document")


def test_a_document_with_too_many_pages(start, pdf: bytes) -> None:
    with start(bounds={"pages": 1}) as running:
        answer = running.upload(DIGITIZATION, pdf, **FAST)
        assert answer.status == 400
        assert "2 pages; at most 1" in answer.error["message"]


def test_a_document_while_nobody_waits(api: Running, pdf: bytes) -> None:
    asked = api.upload(f"{DIGITIZATION}/async", pdf, **FAST)
    assert asked.status == 202
    path = f"{DIGITIZATION}/requests/{asked.json['request_id']}"
    done = ready(api, path).json
    assert done["status"] == "completed"
    assert done["total_pages"] == done["completed_pages"] == 2
    url = done["batches"][0]["download_url"]
    assert url.startswith(f"http://127.0.0.1:{api.port}/")
    result = api.get(url.removeprefix(f"http://127.0.0.1:{api.port}")).json
    assert result["elements"] == api.upload(DIGITIZATION, pdf, **FAST).json["elements"]
    assert done["id"] in [r["id"] for r in api.get(f"{DIGITIZATION}/requests").json["requests"]]
    assert api.get(f"{DIGITIZATION}/requests/none").status == 404
    assert api.get(f"{DIGITIZATION}/results/none").status == 404
    broken = api.upload(f"{DIGITIZATION}/async", b"%PDF-1.4 nothing")
    failed = ready(api, f"{DIGITIZATION}/requests/{broken.json['request_id']}").json
    assert failed["status"] == "failed"
    assert failed["failure_message"]


def test_those_that_nobody_waits_for_do_not_shut_others_out(start, pdf: bytes) -> None:
    with start(bounds={"documents": 2}) as running:
        path = "/v1/document-digitization"
        asked = [running.upload(f"{path}/async", pdf) for _ in range(8)]
        assert {answer.status for answer in asked} == {202}
        assert running.upload(path, pdf).status == 200  # one stands before it
        listed = f"{path}/requests"
        until(lambda: {r["status"] for r in running.get(listed).json["requests"]} == {"completed"})


def test_a_result_belongs_to_who_asked(start, pdf: bytes) -> None:
    keys = ("sk-number-one", "sk-number-two")
    with start(keys=keys, wait=False) as running:
        running.key = keys[0]
        running.wait_until_ready()
        asked = running.upload(f"{DIGITIZATION}/async", pdf, **FAST).json["request_id"]
        other = Client(running.port, key=keys[1])
        assert other.get(f"{DIGITIZATION}/requests/{asked}").status == 404
        assert other.get(f"{DIGITIZATION}/requests").json["requests"] == []
        done = ready(running, f"{DIGITIZATION}/requests/{asked}").json
        path = done["batches"][0]["download_url"].split(str(running.port), 1)[1]
        assert Client(running.port).get(path).status == 200  # its address is the key


def message_with(data: bytes) -> list[dict[str, Any]]:
    url = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    part = {"type": "image_url", "image_url": {"url": url}}
    return [{"role": "user", "content": [part]}]


def test_information_is_extracted_into_the_schema(api: Running) -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["report", "letter"]}},
        "required": ["kind"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    short = SmallPdf()
    short.page().text(72, 90, "A report.", 12)
    body = {"model": "information-extract", "messages": message_with(short.data())}
    for path in ("/v1/information-extraction", "/v1/information-extraction/chat/completions"):
        answer = api.post(path, {**body, "response_format": form})
        made = json.loads(answer.json["choices"][0]["message"]["content"])
        assert made["kind"] in ("report", "letter")
    assert api.post("/v1/information-extraction", body).error["param"] == "response_format"


def test_addresses_are_not_fetched(api: Running) -> None:
    part = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/secret"}}
    body = {"model": "information-extract", "messages": [{"role": "user", "content": [part]}]}
    answer = api.post("/v1/information-extraction/schema-generation", body)
    assert answer.status == 400
    assert "not fetched" in answer.error["message"]


def test_documents_are_kept_found_and_removed(api: Running, pdf: bytes) -> None:
    added = api.upload("/v1/documents", pdf, "../../My report.pdf")
    assert added.status == 201
    facts = added.json
    assert facts["name"] == "My report.pdf"
    assert facts["pages"] == 2
    assert facts["chunks"] > 0
    assert [d["id"] for d in api.get("/v1/documents").json["data"]] == [facts["id"]]
    assert api.get(f"/v1/documents/{facts['id']}").json["sha256"] == facts["sha256"]
    content = api.get(f"/v1/documents/{facts['id']}/content").json
    assert [size["page"] for size in content["pages"]] == [1, 2]
    assert content["elements"][0]["content"]["html"]
    text = next(parse(pdf, mode="fast").elements).text
    hits = api.post("/v1/search", {"query": text, "limit": 3}).json["data"]
    assert hits[0]["document_id"] == facts["id"]
    assert hits[0]["source"] == "My report.pdf"
    assert hits[0]["page"] == 1
    assert len(hits[0]["polygon"]) == 4
    gone = api.request("DELETE", f"/v1/documents/{facts['id']}")
    assert gone.json["deleted"] is True
    assert api.get(f"/v1/documents/{facts['id']}").status == 404
    assert api.post("/v1/search", {"query": text}).json["data"] == []
    assert not [p for p in api.server.state.knowledge.folder.rglob("*") if p.is_file()]


def test_a_documents_kind_is_seen_where_its_name_does_not_say_it(api: Running) -> None:
    added = api.upload("/v1/documents", report(1), "scan").json
    assert added["name"] == "scan.pdf"
    assert api.request("DELETE", f"/v1/documents/{added['id']}").status == 200
    refused = api.upload("/v1/documents", b"MZ\0\0", "tool.exe")
    assert refused.status in (400, 415)
    assert api.get("/v1/documents").json["data"] == []


def test_in_an_empty_knowledge_base_nothing_is_found(start) -> None:
    with start() as running:
        assert running.post("/v1/search", {"query": "lighthouse"}).json["data"] == []
        assert running.post("/v1/answers", {"question": "A lighthouse?"}).json["abstained"]
        assert running.get("/v1/documents").json["data"] == []


def test_search_says_what_is_wrong(api: Running) -> None:
    wrong = {"query": "x", "filters": {"nonsense": 1}}
    asked = (({}, "query"), ({"query": "x", "limit": 0}, "limit"), (wrong, "filters.nonsense"))
    for body, param in asked:
        answer = api.post("/v1/search", body)
        assert answer.status == 400
        assert answer.error["param"] == param


def test_texts_are_ranked(api: Running) -> None:
    texts = ["Bread is baked from flour.", "The capital of Korea is Seoul.", "Cats sleep a lot."]
    body = {"query": "What is the capital of Korea?", "documents": texts, "top_n": 2}
    results = api.post("/v1/rerank", {**body, "return_documents": True}).json["results"]
    assert len(results) == 2
    assert results[0]["index"] == 1
    assert results[0]["document"]["text"] == texts[1]
    assert results[0]["relevance_score"] > results[1]["relevance_score"]


def test_a_question_is_answered_with_its_source(api: Running) -> None:
    made = SmallPdf()
    made.page().text(72, 90, "The lighthouse", 16, "B")
    made.text(72, 130, "The lamp of the lighthouse was lit for the first time in 1904.", 10)
    made.text(72, 150, "The keeper of the lighthouse is called Minsu Kim.", 10)
    added = api.upload("/v1/documents", made.data(), "lighthouse.pdf").json
    try:
        asked = {"question": "When was the lamp of the lighthouse lit?"}
        answer = api.post("/v1/answers", asked).json
        assert answer["abstained"] is None
        assert "1904" in answer["answer"]
        assert answer["mode"] == "extractive"
        citation = answer["citations"][0]
        assert citation["document_id"] == added["id"]
        assert citation["source"] == "lighthouse.pdf"
        assert citation["page"] == 1
        assert "1904" in citation["quote"]
        events = api.post("/v1/answers", {**asked, "stream": True}).events
        assert events[-1] == "[DONE]"
        assert events[-2] == answer
        assert events[0]["object"] == "answer.statement"
        assert "1904" in events[0]["text"]
        none = api.post("/v1/answers", {"question": "How heavy is the moon of Mars?"}).json
        assert none["abstained"]
        told = api.post("/v1/answers", {**asked, "model": "solar-mini"})
        assert told.status == 200  # whatever the tiny model says, only what is proven is shown
        assert told.json["mode"] in ("solar-mini", "extractive")
        streamed = api.post("/v1/answers", {**asked, "model": "solar-mini", "stream": True}).events
        assert streamed[-1] == "[DONE]"
        assert api.post("/v1/answers", {**asked, "model": "none"}).status == 404
    finally:
        api.request("DELETE", f"/v1/documents/{added['id']}")
    assert api.server.state.gate.busy == 0
