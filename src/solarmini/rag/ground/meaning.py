"""The network asked about a claim: what it is given, and where its answer is kept."""

from solarmini.rag.ground.claims import Statement
from solarmini.rag.ground.entail.asserted import asserted
from solarmini.rag.ground.entail.encoder import Encoder, encoder
from solarmini.rag.ground.entail.premise import premise
from solarmini.rag.ground.features import Evidence
from solarmini.rag.ground.passages import Context


def understand(found: Evidence, claim: Statement, context: Context) -> None:
    """Set how far the context entails and contradicts a claim.

    Needs the packages of the extra `rag` (MissingExtraError).
    """
    network = encoder()
    found.reading = network.read(*given(found, claim, context, network))


def given(found: Evidence, claim: Statement, context: Context, network: Encoder) -> tuple[str, str]:
    """Return the premise and the claim that the network reads."""
    said = asserted(claim.stated) if claim.asked else claim.stated
    return premise(said, found.said, found.support, context, network), said
