"""Is an answer grounded in its context? Claims, their support, and what contradicts them."""

from solarmini.rag.ground.check import check
from solarmini.rag.ground.verdict import Claim, Label, Span, Verdict

__all__ = ["Claim", "Label", "Span", "Verdict", "check"]
