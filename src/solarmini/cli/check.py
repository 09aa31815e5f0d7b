"""`solar check`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from solarmini.rag.ground import Verdict

_EXIT = {"grounded": 0, "notSure": 0, "notGrounded": 1}


def check(
    *,
    context: Annotated[tuple[Path, ...], Parameter(negative="")],
    answer: Path,
    judge: str | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Check whether an answer says only what its context says.

    Every sentence of the answer gets a label (grounded, notGrounded, notSure), a score from 0 to
    1, and the passage that supports it. Runs in milliseconds, in English and Korean, without a
    language model.

        solar check --context passage.txt --answer answer.txt
        solar check --context a.txt b.txt --answer answer.txt --json

    Exit code 0: grounded or not sure; 1: not grounded.

    Parameters
    ----------
    context
        Text files that the answer is to be checked against.
    answer
        Text file with the answer.
    judge
        Model to ask instead: a folder, a GGUF file, or the URL of a server.
    as_json
        Print everything that was found as JSON.
    """
    from solarmini.rag.ground import check as run

    passages, text = [_read(path) for path in context], _read(answer)
    if judge is None:
        verdict = run(passages, text)
    else:
        from solarmini.engine.open import open_engine

        with open_engine(judge) as engine:
            verdict = run(passages, text, judge=engine)
    if as_json:
        print(json.dumps(verdict.as_dict(), ensure_ascii=False, indent=1))
    else:
        _print(verdict, passages)
    return _EXIT[verdict.label]


def _read(path: Path) -> str:
    from solarmini.errors import DataError

    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=path) from None
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 text: {error.reason}", where=path) from None


def _print(verdict: "Verdict", passages: list[str]) -> None:
    print(f"{verdict.label}  [{verdict.score:.3f}]")
    for claim in verdict.claims:
        print(f"\n{claim.label}  [{claim.score:.3f}]  {claim.text}")
        if claim.support:
            at = claim.support
            where = f"{at.passage + 1}:{at.start}-{at.end}"
            quoted = " ".join(passages[at.passage][at.start : at.end].split())
            print(f"   context {where}: {quoted}")
        for problem in claim.problems:
            print(f"   {problem}")
