"""Let schemathesis look for what the server does and its OpenAPI description does not say.

    python benchmarks/clients/schema.py [--model smollm2-135m] [--examples 30] [--seed 1] [-o FILE]

schemathesis has an environment of its own under .venvs/, made on first use. It runs twice, with
every check it has. `published`: the description as it is; most names of models that it makes up do
not exist, and 404 ends those requests early. `narrowed`: the same description with the names that
are served and answers of at most four tokens, so that requests reach the model. One check is
replaced by a closer one, see calls/schema_checks.py. Prints a table; writes
results/<date>-schema.json; leaves with 1 when something was found.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from environments import prepared, versions
from report import write
from run import HERE, KEY, server

ENTRY = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"
REPLACED = "positive_data_acceptance"
SECONDS = 1500  # that one run may take


def described(base: str) -> dict[str, Any]:
    """Return the server's description of itself."""
    with urllib.request.urlopen(f"{base}/openapi.json", timeout=30) as answer:
        return json.load(answer)


def narrowed(description: dict[str, Any], model: str) -> dict[str, Any]:
    """Return the description with names that are served and short answers."""
    changed = copy.deepcopy(description)
    bodies = changed["components"]["schemas"]
    few = {"type": "integer", "minimum": 1, "maximum": 4}
    names = {
        "ChatBody": [model, "solar-mini", "translation-enko", "groundedness-check"],
        "CompletionBody": [model, "solar-mini"],
        "EmbeddingBody": [model, "embedding-query", "embedding-passage"],
    }
    for name, served in names.items():
        body = bodies[name]
        body["properties"]["model"] = {"enum": served}
        if name != "EmbeddingBody":
            body["properties"] |= {"max_tokens": few, "n": {"enum": [None, 1, 2]}}
            body["required"] = [*body["required"], "max_tokens"]
    bodies["AnswerBody"]["properties"]["model"] = {"enum": [None, model]}
    return changed


def look(
    name: str, description: dict[str, Any], base: str, folder: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Run schemathesis over one description; return its figures."""
    source, report, reasons = (folder / f"{name}{end}" for end in (".json", "-report.json", ".txt"))
    source.write_text(json.dumps(description))
    reasons.touch()
    command = [prepared("schemathesis", ("schemathesis",)), "-c", ENTRY]
    command += ["run", source, "--url", base, "-H", f"Authorization: Bearer {KEY}"]
    command += ["--checks", "all", "--exclude-checks", REPLACED, "--no-color"]
    command += ["-n", str(options.examples), "--seed", str(options.seed), "--continue-on-failure"]
    command += ["--request-timeout", "120", "--generation-database", "none"]
    # an answer without max_tokens takes as long as the model talks; the limit is 10 s otherwise
    command += ["--max-response-time", "110"]
    command += ["--mode", "all" if name == "published" else "positive"]
    command += ["--suppress-health-check", "all"]
    command += ["--report", "json", "--report-json-path", report]
    hooks = {"SCHEMATHESIS_HOOKS": "calls.schema_checks", "REASONS": str(reasons)}
    variables = os.environ | hooks | {"PYTHONPATH": str(HERE)}
    with (folder / f"{name}.log").open("w") as log:
        subprocess.run(command, env=variables, cwd=folder, stdout=log, timeout=SECONDS, check=False)
    if not report.exists():
        raise SystemExit((folder / f"{name}.log").read_text()[-3000:])
    found = json.loads(report.read_text())
    bad = found["test_cases"]["unique_failures"] + len(found["errors"])
    if bad:
        print((folder / f"{name}.log").read_text())
    return {
        "run": name,
        "operations": found["operations"]["tested"],
        "requests": found["test_cases"]["generated"],
        "seconds": round(found["running_time"]),
        "findings": bad,
        "failures": found["failures"],
        "errors": found["errors"],
        "refused_for_a_reason": dict(Counter(reasons.read_text().splitlines()).most_common()),
    }


def main() -> None:
    """Serve the model; look twice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--examples", type=int, default=30, help="most of one operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["published", "narrowed"])
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with server(options.model, folder, "--context", "1024") as base:
            whole = described(base)
            runs = {"published": whole, "narrowed": narrowed(whole, options.model)}
            chosen = [options.only] if options.only else list(runs)
            rows = [look(kind, runs[kind], base, folder, options) for kind in chosen]
    for row in rows:
        print(f"{row['run']:10} {row['requests']:6} requests, {row['findings']} findings")
        for reason, count in row["refused_for_a_reason"].items():
            print(f"    {count:5} refused: {reason}")
    packages = versions(prepared("schemathesis", ("schemathesis",)), ("schemathesis", "hypothesis"))
    facts = {"model": options.model, "seed": options.seed, "versions": packages, "runs": rows}
    write(facts, "-schema", options.output)
    sys.exit(any(row["findings"] for row in rows))


if __name__ == "__main__":
    main()
