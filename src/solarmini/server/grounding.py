"""Is an answer supported by its context? The check itself is `solarmini.rag.ground`."""

from typing import TYPE_CHECKING

from solarmini.server.errors import ApiError

if TYPE_CHECKING:
    from solarmini.rag.ground import Label, Verdict


def check(context: str, answer: str) -> "Verdict":
    """Return what `solarmini.rag.ground.check` says; 501 where it is not installed."""
    try:
        from solarmini.rag import ground
    except ImportError:
        what = "The groundedness check is not installed (pip install 'solar-mini[rag]')."
        raise ApiError(501, what, "not_installed", kind="server_error") from None
    return ground.check(context, answer)


def label_of(context: str, answer: str) -> "Label":
    """Return `grounded`, `notGrounded` or `notSure`."""
    return check(context, answer).label
