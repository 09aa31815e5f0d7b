"""What the served model is and where it comes from, for whoever asks."""

from starlette.requests import Request

from solarmini.server.respond import Json
from solarmini.server.state import state_of


async def card(request: Request) -> Json:
    """Describe the served model: its file, and how it was made where that is known."""
    state = state_of(request)
    names = state.names
    if "card" not in state.cache:
        found = await state.link.result("card", model=state.settings.engine.model)
        state.cache["card"] = {"object": "model.card", "id": names.own, **found}
    return Json(state.cache["card"])
