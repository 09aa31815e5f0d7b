"""Request bodies of the OpenAI routes. What is not named here is ignored, as clients expect.

The models and `rules` say together what is accepted, so that the published description is exact.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from solarmini.server import rules

_INT64 = 2**63 - 1


class Body(BaseModel):
    """Base of every request body: unknown fields are ignored, types are not bent."""

    model_config = ConfigDict(extra="ignore")


def integral(value: Any) -> Any:
    """Take 3.0 for 3: JSON does not tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, Field(strict=True, ge=-_INT64, le=_INT64), BeforeValidator(integral)]
Count = Annotated[int, Field(strict=True, ge=1, le=_INT64), BeforeValidator(integral)]
Natural = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1), BeforeValidator(integral)]
Tops = Annotated[int, Field(strict=True, ge=0, le=20), BeforeValidator(integral)]
Flag = Annotated[bool, Field(strict=True)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Heat = Annotated[float, Field(strict=True, ge=0, le=2)]
Penalty = Annotated[float, Field(strict=True, ge=-2, le=2)]
Bias = Annotated[float, Field(strict=True, ge=-100, le=100)]
Stop = Annotated[str, Field(min_length=1, max_length=1000)]


class Called(Body):
    """A function that was called; `arguments` is JSON text, or the object itself."""

    name: str
    arguments: str | dict[str, Any] | None = None


class CalledTool(Body):
    """A tool that was called."""

    id: str | None = None
    function: Called


class Message(Body):
    """One turn of a conversation."""

    model_config = ConfigDict(json_schema_extra=rules.MESSAGE)

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[str | list[dict[str, Any]] | None, WithJsonSchema(rules.TEXTS)] = None
    name: str | None = None
    tool_calls: list[CalledTool] | None = None
    tool_call_id: str | None = None
    function_call: Called | None = None


class Function(Body):
    """A function that the model may call; `parameters` is the JSON schema of its arguments.

    With `strict`, a keyword of that schema which cannot be enforced is refused, not left out.
    """

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: Flag | None = None


class Named(Body):
    """A function's name."""

    name: str


def wrapped(value: Any) -> Any:
    """Take a function that stands alone for a tool that is one."""
    if isinstance(value, Mapping) and "function" not in value and "name" in value:
        return {"function": value}
    return value


class Tool(Body):
    """A tool, which is a function."""

    model_config = ConfigDict(json_schema_extra=rules.either_way)

    function: Function

    _wrapped = model_validator(mode="before")(wrapped)


class Choice(Body):
    """The tool that has to be called."""

    model_config = ConfigDict(json_schema_extra=rules.either_way)

    function: Named

    _wrapped = model_validator(mode="before")(wrapped)


class StreamOptions(Body):
    """What a stream brings beside the answer."""

    include_usage: Flag | None = None


class Sampling(Body):
    """What chat and completions have in common."""

    model: str
    temperature: Heat | None = None
    top_p: Share | None = None
    top_k: Natural | None = None
    min_p: Share | None = None
    n: Count | None = None
    stream: Flag | None = None
    stream_options: StreamOptions | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=16)] | None = None
    max_tokens: Count | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: Annotated[dict[str, Bias] | None, WithJsonSchema(rules.BIAS)] = None
    seed: Whole | None = None
    user: str | None = None
    ignore_eos: Flag | None = None  # go on when the model wants to stop, as vLLM calls it


class JsonSchema(Body):
    """A named schema that the answer has to follow."""

    name: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")


class ResponseFormat(Body):
    """The form of the answer."""

    model_config = ConfigDict(json_schema_extra=rules.RESPONSE_FORMAT)

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class ChatBody(Sampling):
    """POST /v1/chat/completions."""

    model_config = ConfigDict(json_schema_extra=rules.CHAT)

    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Count | None = None
    logprobs: Flag | None = None
    top_logprobs: Tops | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["auto", "none", "required"] | Choice | None = None
    parallel_tool_calls: Flag | None = None
    functions: list[Function] | None = None
    function_call: Literal["auto", "none"] | Named | None = None
    response_format: ResponseFormat | None = None


Parts = Annotated[list[dict[str, Any]], Field(max_length=rules.MANY)]


class DocumentMessage(Body):
    """One turn of a conversation with documents in it."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[str | Parts | None, WithJsonSchema(rules.PARTS)] = None


class SuggestBody(Body):
    """POST /v1/information-extraction/schema-generation."""

    model_config = ConfigDict(json_schema_extra=rules.WITH_DOCUMENT)

    model: str
    messages: Annotated[list[DocumentMessage], Field(min_length=1, max_length=rules.MANY)]


class ExtractBody(SuggestBody):
    """POST /v1/information-extraction."""

    model_config = ConfigDict(json_schema_extra=rules.EXTRACT)

    response_format: ResponseFormat


Text = Annotated[str, Field(min_length=1)]
Ids = Annotated[list[Natural], Field(min_length=1)]
Several = Annotated[list[Text], Field(min_length=1)] | Annotated[list[Ids], Field(min_length=1)]
Prompts = Text | Ids | Several


class CompletionBody(Sampling):
    """POST /v1/completions."""

    model_config = ConfigDict(json_schema_extra=rules.COMPLETION)

    prompt: Prompts
    logprobs: Tops | None = None
    echo: Flag | None = None
    best_of: Count | None = None
    response_format: ResponseFormat | None = None  # as vLLM has it
    suffix: Annotated[str | None, WithJsonSchema(rules.NOTHING)] = None


class EmbeddingBody(Body):
    """POST /v1/embeddings."""

    model: str
    input: Text | Annotated[list[Text], Field(min_length=1)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[Count | None, WithJsonSchema(rules.SIZE)] = None
    user: str | None = None
