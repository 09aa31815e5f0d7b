"""Values of a spreadsheet as its cells show them, for the usual number formats."""

import datetime
import re

_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_DECIMALS = re.compile(r"0\.(0+)")


def shown(value: object, number_format: str = "General") -> str:
    """Return a value as its cell shows it: dates in ISO, digits, percent, thousands, currency."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        plain = value.time() == datetime.time()
        return value.date().isoformat() if plain else value.isoformat(" ", "minutes")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (int, float)):
        return _number(value, number_format or "General")
    return str(value)


def _number(value: float, number_format: str) -> str:
    pattern = number_format.split(";")[0]
    bare = _QUOTED.sub("", pattern)
    if bare == "General" or not any(sign in bare for sign in "0#"):
        return _general(value)
    if "E" in bare or "/" in bare:
        return _general(value)
    percent = "%" in bare
    found = _DECIMALS.search(bare)
    digits = len(found[1]) if found else 0
    comma = "," if "#,##0" in bare or "0,000" in bare else ""
    text = f"{value * 100 if percent else value:{comma}.{digits}f}"
    currency = re.search(r"[$€£¥₩]", pattern)
    before = currency[0] if currency and currency.start() < len(pattern) / 2 else ""
    if before and text.startswith("-"):
        text, before = text[1:], f"-{before}"
    return f"{before}{text}{'%' if percent else ''}"


def _general(value: float) -> str:
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.10g}"
