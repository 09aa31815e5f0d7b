"""What all routes share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from solarmini.server.answers import Desk
from solarmini.server.errors import unavailable
from solarmini.server.gate import Clients, Gate
from solarmini.server.keys import Keys
from solarmini.server.link import EngineLink
from solarmini.server.log import Log
from solarmini.server.metrics import Metrics
from solarmini.server.names import Names
from solarmini.server.settings import ServeSettings

if TYPE_CHECKING:
    from solarmini.server.documents import Reader
    from solarmini.server.embeddings import Embedders
    from solarmini.server.jobs import Jobs
    from solarmini.server.knowledge import Knowledge


@dataclass(slots=True)
class State:
    """A running server; `names` is known once the model is loaded."""

    settings: ServeSettings
    log: Log
    keys: Keys
    link: EngineLink
    gate: Gate
    clients: Clients
    metrics: Metrics
    folder: Path
    reader: "Reader"
    jobs: "Jobs"
    embedders: "Embedders"
    knowledge: "Knowledge"
    started: float
    _names: Names | None = None
    cache: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> Names:
        """The model names; ApiError 503 while the model is being loaded."""
        if self._names is None:
            if self.link.model is None:
                raise unavailable("The model is being loaded.", "loading")
            self._names = Names(self.link.model.name, self.settings.aliases)
            self.gate.slots = self.link.model.parallel
        return self._names

    @property
    def desk(self) -> Desk:
        """Where answers are ordered."""
        return Desk(self.link, self.gate, self.metrics, self.settings.bounds.answer_seconds)

    def fault(self, request: Request) -> Callable[[BaseException], None]:
        """Return what writes an unforeseen error of a request into the log."""

        def write(error: BaseException) -> None:
            import traceback

            where = traceback.format_exception(error)[-3:]
            self.log.write("fault", id=request.state.id, error=repr(error), where="".join(where))

        return write


def state_of(request: Request) -> State:
    """Return what the server's routes share."""
    return request.app.state
