"""English text that every machine has: the documentation inside the running Python.

The language topics of `pydoc` and the docstrings of the standard library, read from its source
files (parsed, never imported). Licence PSF-2.0. The order is fixed; the text depends on the
Python version, which the data record names.
"""

import ast
import hashlib
import sysconfig
import warnings
from collections.abc import Iterator
from functools import lru_cache
from inspect import cleandoc
from pathlib import Path

from solarmini.errors import DataError

LICENCE = "PSF-2.0"
_LEFT_OUT = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "__pycache__"}
    | {"ensurepip", "turtledemo", "pydoc_data", "__phello__", "encodings"}
)
_SHORTEST = 200  # characters; below that a module says nothing worth learning


@lru_cache(maxsize=1)
def python_docs() -> tuple[str, ...]:
    """Return the documents, a few megabytes; DataError where Python came without sources."""
    found = [*_topics(), *_modules(Path(sysconfig.get_path("stdlib")))]
    documents = tuple(dict.fromkeys(found))  # some topics are there under two names
    if not documents:
        raise DataError(
            "this Python carries no documentation",
            where=sysconfig.get_path("stdlib"),
            mend="use a Python with its standard library's sources, or give a file of text",
        )
    return documents


def digest_python_docs() -> tuple[str, int]:
    """Return (sha256, bytes) of all documents."""
    digest = hashlib.sha256()
    size = 0
    for document in python_docs():
        data = document.encode()
        digest.update(hashlib.sha256(data).digest())
        size += len(data)
    return digest.hexdigest(), size


def _topics() -> Iterator[str]:
    try:
        from pydoc_data.topics import topics
    except ImportError:  # some distributions ship it apart; the modules' docstrings remain
        return
    for name in sorted(topics):
        text = topics[name].strip()
        if len(text) >= _SHORTEST:
            yield text + "\n"


def _modules(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        if _LEFT_OUT & set(relative.parts) or relative.parts[0].startswith("config-"):
            continue
        text = _module_text(path, ".".join(relative.with_suffix("").parts))
        if len(text) >= _SHORTEST:
            yield text


def _module_text(path: Path, name: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # old escapes in old modules
            tree = ast.parse(path.read_bytes())
    except SyntaxError:  # templates and deliberately broken files
        return ""
    own = ast.get_docstring(tree)
    parts = [own] if own else []
    parts += _described(tree.body, name.removesuffix(".__init__"))
    return "\n\n".join(parts) + "\n" if parts else ""


def _described(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    """Yield `name(arguments)` and docstring of every public function, class and method."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        name = f"{prefix}.{node.name}"
        text = ast.get_docstring(node, clean=False)
        if text and text.strip():
            arguments = "" if isinstance(node, ast.ClassDef) else f"({ast.unparse(node.args)})"
            yield f"{name}{arguments}\n\n{cleandoc(text)}"
        if isinstance(node, ast.ClassDef):
            yield from _described(node.body, name)
