"""Runs checks one after the other and prints what became of each as a line of JSON."""

import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
KEY = os.environ.get("SOLAR_KEY", "sk-solar-clients")
PDF = os.environ.get("SOLAR_PDF", "")

Check = Callable[[], Any]
_checks: list[Check] = []


def check(function: Check) -> Check:
    """Register a check; it fails by raising."""
    _checks.append(function)
    return function


def run() -> None:
    """Run all; leave with 1 when one failed."""
    failed = 0
    for function in _checks:
        facts: dict[str, Any] = {"check": function.__name__, "ok": True}
        try:
            found = function()
            if inspect.isawaitable(found):
                import asyncio

                asyncio.run(_awaited(found))
        except BaseException as error:
            failed += 1
            trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            facts |= {"ok": False, "error": trace[-1500:]}
        print(json.dumps(facts), flush=True)
    sys.exit(1 if failed else 0)


async def _awaited(found: Any) -> None:
    await found
