"""Request fields → generation settings."""

import re
from typing import Any

from pydantic import ValidationError

from solarmini.engine.interface import GenerationSettings
from solarmini.server.errors import invalid
from solarmini.server.schemas import ResponseFormat, Sampling

DEFAULT_TEMPERATURE = 0.7
_ID = re.compile("[0-9]{1,9}")


def settings_of(
    body: Sampling, max_tokens: int | None, logprobs: int | None, form: dict[str, Any]
) -> GenerationSettings:
    """Return the settings that a request asks for; `form` binds the answer (see `form_of`)."""
    stop = body.stop
    temperature = DEFAULT_TEMPERATURE if body.temperature is None else body.temperature
    try:
        return GenerationSettings(
            temperature=temperature,
            top_p=1.0 if body.top_p is None else max(body.top_p, 1e-6),
            top_k=body.top_k or 0,
            min_p=body.min_p or 0.0,
            presence_penalty=body.presence_penalty or 0.0,
            frequency_penalty=body.frequency_penalty or 0.0,
            logit_bias=_bias(body.logit_bias),
            max_tokens=max_tokens,
            stop=() if stop is None else (stop,) if isinstance(stop, str) else tuple(stop),
            seed=body.seed,
            logprobs=logprobs,
            ignore_end=bool(body.ignore_eos),
            **form,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = str(first["loc"][0]) if first["loc"] else None
        raise invalid(first["msg"], place) from None


def form_of(wanted: ResponseFormat | None) -> dict[str, Any]:
    """Return what binds the answer to a response format."""
    if wanted is None or wanted.type == "text":
        return {}
    if wanted.type == "json_object":
        return {"json_schema": {"type": "object"}}
    if wanted.json_schema is None or wanted.json_schema.schema_ is None:
        place = "response_format.json_schema.schema"
        raise invalid("A response format of type json_schema needs a schema.", place)
    return {"json_schema": wanted.json_schema.schema_}


def _bias(stated: dict[str, float] | None) -> tuple[tuple[int, float], ...]:
    for key in stated or {}:
        if not _ID.fullmatch(key):
            raise invalid("The keys of logit_bias have to be token ids.", "logit_bias")
    return tuple((int(key), value) for key, value in (stated or {}).items())
