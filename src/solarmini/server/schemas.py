"""Request bodies of the OpenAI routes. What is not named here is ignored, as clients expect."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

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


class Message(Body):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    function_call: dict[str, Any] | None = None


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
    logit_bias: dict[str, Bias] | None = None
    seed: Whole | None = None
    user: str | None = None
    ignore_eos: Flag | None = None  # go on when the model wants to stop, as vLLM calls it


class JsonSchema(Body):
    """A named schema that the answer has to follow."""

    name: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")


class ResponseFormat(Body):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class ChatBody(Sampling):
    """POST /v1/chat/completions."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Count | None = None
    logprobs: Flag | None = None
    top_logprobs: Tops | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: Flag | None = None
    functions: list[dict[str, Any]] | None = None
    function_call: str | dict[str, Any] | None = None
    response_format: ResponseFormat | None = None


Text = Annotated[str, Field(min_length=1)]
Ids = Annotated[list[Natural], Field(min_length=1)]
Several = Annotated[list[str], Field(min_length=1)] | Annotated[list[Ids], Field(min_length=1)]
Prompts = str | Ids | Several


class CompletionBody(Sampling):
    """POST /v1/completions."""

    prompt: Prompts
    logprobs: Tops | None = None
    echo: Flag | None = None
    best_of: Count | None = None
    suffix: str | None = None


class EmbeddingBody(Body):
    """POST /v1/embeddings."""

    model: str
    input: Text | Annotated[list[Text], Field(min_length=1)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Count | None = None
    user: str | None = None
