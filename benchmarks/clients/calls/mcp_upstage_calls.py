"""mcp-upstage: its functions and its server, pointed at us through the addresses in its modules."""

import json
import os
import sys
from pathlib import Path

from checks import BASE, KEY, PDF, check, run

os.environ["UPSTAGE_API_KEY"] = KEY  # it refuses to be imported without

from upstage_mcp import document_parser, info_extractor

document_parser.DOCUMENT_DIGITIZATION_URL = f"{BASE}/v1/document-digitization"
info_extractor.INFORMATION_EXTRACTION_URL = f"{BASE}/v1/information-extraction"
info_extractor.SCHEMA_GENERATION_URL = f"{BASE}/v1/information-extraction/schema-generation"


@check
async def parse():
    found = await document_parser._parse_document_api(PDF, KEY, output_formats=["html", "text"])
    assert found["content"]["html"]
    assert found["elements"][0]["content"]["text"]


@check
async def extract():
    schema = {
        "name": "kind",
        "schema": {
            "type": "object",
            "properties": {"kind": {"type": "string", "enum": ["report", "letter"]}},
            "required": ["kind"],
        },
    }
    data = info_extractor._encode_file_to_base64(PDF)
    found = await info_extractor._extract_with_schema(data, "application/pdf", schema, KEY)
    assert found["kind"] in ("report", "letter"), json.dumps(found)


@check
async def suggest():
    data = info_extractor._encode_file_to_base64(PDF)
    found = await info_extractor._generate_schema(data, "application/pdf", KEY)
    assert found["schema"]["properties"]


SERVER = """
import sys
from upstage_mcp import document_parser, info_extractor, server
base = sys.argv[1]
document_parser.DOCUMENT_DIGITIZATION_URL = f"{base}/v1/document-digitization"
info_extractor.INFORMATION_EXTRACTION_URL = f"{base}/v1/information-extraction"
info_extractor.SCHEMA_GENERATION_URL = f"{base}/v1/information-extraction/schema-generation"
server.mcp.run()
"""


async def told(tool, **arguments):
    """Return the text with which the server, a process of its own, answers an MCP client."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    command = StdioServerParameters(
        command=sys.executable, args=["-c", SERVER, BASE], env=dict(os.environ)
    )
    async with stdio_client(command) as pipes, ClientSession(*pipes) as session:
        await session.initialize()
        found = await session.call_tool(tool, arguments)
        assert not found.isError, found.content[0].text
        return found.content[0].text


@check
async def served_parse():
    text = await told("parse_document", file_path=PDF, output_formats=["markdown"])
    assert "lighthouse" in text
    assert '"standard": 1' in text
    assert "WARNING" not in text


@check
async def served_mode_that_we_lack():
    text = await told("parse_document", file_path=PDF, mode="enhanced", ocr="auto")
    assert "WARNING: Requested mode 'enhanced' was not applied" in text


@check
async def served_extract():
    year = {"type": "string", "enum": ["1904", "1905"]}
    form = {"type": "object", "properties": {"year": year}, "required": ["year"]}
    path = Path(os.environ["HOME"]) / "year.json"
    path.write_text(json.dumps({"name": "year", "schema": form}))
    text = await told("extract_information", file_path=PDF, schema_path=str(path))
    assert json.loads(text)["extracted_data"]["year"] in ("1904", "1905"), text


@check
async def served_extract_by_itself():
    text = await told("extract_information", file_path=PDF)
    assert isinstance(json.loads(text)["extracted_data"], dict), text


run()
