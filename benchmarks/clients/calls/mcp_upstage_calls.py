"""mcp-upstage: its functions, pointed at us through the addresses it keeps in its modules."""

import json
import os

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


run()
