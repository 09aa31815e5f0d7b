"""A check for schemathesis: a request that the schema allows is accepted, or told a known reason.

It takes the place of `positive_data_acceptance`, which allows no 400 and no 415 at all. The reasons
below depend on what JSON schema cannot say: a file's contents, a count of tokens, or two
fields that have to name the same thing. Every other refusal is a finding, as it was before.
Each time a reason is heard, it is written as a line of the file that REASONS names.
"""

import json
import os
import re
from pathlib import Path

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import positive_data_acceptance

# reason -> status, error code, and what the message says
REASONS = {
    "a file's contents cannot be described": (415, "unsupported_format", ""),
    "a file's contents can be damaged": (400, "invalid_document", ""),
    "tokens of prompt and answer are counted": (400, "context_length_exceeded", ""),
    "a choice has to name one of the functions": (
        *(400, "invalid_request_body"),
        "which is none of the tools",
    ),
    "a JSON schema can be one that cannot be enforced": (
        *(400, "invalid_request_body"),
        "the answer's form cannot be enforced",
    ),
}


@schemathesis.check
def accepted_or_told_why(ctx, response, case) -> bool | None:
    """Refuse a refusal of what the schema allows, unless it has one of the reasons."""
    try:
        return positive_data_acceptance(ctx, response, case)
    except RejectedPositiveData:
        reason = _reason(response)
        if reason is None:
            raise
        with Path(os.environ["REASONS"]).open("a") as file:
            file.write(f"{reason}\n")
        return None


def _reason(response) -> str | None:
    try:
        error = json.loads(response.content)["error"]
    except (ValueError, KeyError, TypeError):
        return None
    for reason, (status, code, said) in REASONS.items():
        known = response.status_code == status and error["code"] == code
        if known and re.search(said, error["message"]):
            return reason
    return None
