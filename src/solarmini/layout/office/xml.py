"""XML of untrusted files: no entities, no network."""

from typing import Any

from solarmini.errors import require


def parse_xml(data: bytes) -> Any:
    """Return the root element; raises what lxml raises for damaged XML."""
    etree = require("lxml.etree", "layout")
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(data, parser)
