"""Licences of models: read what a folder says, carry the strictest on."""

import re
from collections.abc import Iterable
from pathlib import Path

# From free to strict. Names are the SPDX-like identifiers that model cards use.
_RANKS = (
    {"cc0-1.0", "unlicense", "public-domain", "pddl"},
    {"mit", "bsd-2-clause", "bsd-3-clause", "apache-2.0", "isc", "psf-2.0"},
    {"cc-by-3.0", "cc-by-4.0", "odc-by"},
    {"mpl-2.0", "lgpl-2.1", "lgpl-3.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "odbl"},
    {"gpl-2.0", "gpl-3.0", "agpl-3.0"},
    {"openrail", "bigscience-openrail-m", "gemma", "llama2", "llama3", "llama3.1", "llama3.2"},
    {"cc-by-nd-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0"},
)
_TEXTS = (
    ("apache-2.0", r"Apache License,?\s+Version 2\.0"),
    ("mit", r"\bMIT License\b"),
    ("gpl-3.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 3"),
    ("agpl-3.0", r"GNU AFFERO GENERAL PUBLIC LICENSE"),
    ("gemma", r"Gemma Terms of Use"),
    ("cc-by-nc-4.0", r"Creative Commons Attribution-NonCommercial 4\.0"),
)


def strictest_licence(licences: Iterable[str | None]) -> str | None:
    """Return the strictest licence; None (unknown) as soon as one of them is unknown.

    A named licence that is not in the table counts as stricter than every one that is: it has to
    be read by a person.
    """
    worst: str | None = None
    for licence in licences:
        if licence is None:
            return None
        if worst is None or _rank(licence) > _rank(worst):
            worst = licence
    return worst


def read_licence(folder: Path) -> str | None:
    """Return the licence a model folder states: model card first, then a LICENSE file."""
    card = folder / "README.md"
    if card.exists():
        match = re.match(r"---\n(.*?)\n---", card.read_text("utf-8", errors="replace"), re.S)
        if match:
            named = re.search(r"^licen[sc]e:\s*['\"]?([\w.+-]+)", match[1], re.M)
            if named:
                return named[1].lower()
    for path in sorted(folder.glob("LICENSE*")):
        text = path.read_text("utf-8", errors="replace")
        for name, pattern in _TEXTS:
            if re.search(pattern, text):
                return name
    return None


def _rank(licence: str) -> int:
    for rank, names in enumerate(_RANKS):
        if licence.lower() in names:
            return rank
    return len(_RANKS)
