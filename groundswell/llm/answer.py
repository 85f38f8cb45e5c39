"""Reads the answer of a language model: its schema, its text and its JSON object."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from groundswell.llm.errors import AnswerError, CutOffError, FinalError

Expected = TypeVar("Expected", bound=BaseModel)

# An answer of fewer tokens than this share of those asked for was not cut off by what we asked for.
LEAST_WRITTEN = 0.9
CURE = "raise var llm_answer_tokens"
# LiteLLM 1.106.2 gives a reason that it does not know as "stop", and keeps the provider's own word elsewhere.
# The words of Mistral and Z.ai for an answer that fills the model's context.
FULL = ("model_length", "model_context_window_exceeded")
# Those of DeepSeek, vLLM, SGLang and Z.ai for an answer that the server has broken off.
BROKEN_OFF = ("abort", "error", "insufficient_system_resource", "network_error")
# The keys of a JSON schema that bound texts and lists.
LENGTHS = {"minLength", "maxLength", "minItems", "maxItems"}
# A comma after the last value of a list or an object; the second pattern matches texts of JSON, too.
LAST_COMMA = re.compile(r",\s*[}\]]")
TEXT_OR_LAST_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)


@cache
def answer_schema(answer: type[BaseModel], with_lengths: bool = False) -> dict[str, Any]:
    """The JSON schema of an answer, in the subset that all providers accept: no optional fields, and no lengths.

    with_lengths: with the lengths of texts and lists.
    """
    keys = {"type", "properties", "items", "enum", "required"} | (LENGTHS if with_lengths else set())

    def plain(node: Any) -> Any:
        if isinstance(node, list):
            return [plain(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return plain(schema["$defs"][node["$ref"].rpartition("/")[2]])
        kept = {
            key: {name: plain(each) for name, each in value.items()} if key == "properties" else plain(value)
            for key, value in node.items()
            if key in keys
        }
        return kept | ({"additionalProperties": False} if kept.get("type") == "object" else {})

    schema = answer.model_json_schema()
    return plain(schema)  # type: ignore[no-any-return]


def content_of(response: Any, name: str, limit: int) -> str:
    """The text of a response, or the arguments of its call of the tool `name`.

    limit: tokens of the longest answer that was asked for. Raises AnswerError if the response has neither text nor
    call: CutOffError if a longer answer may have, FinalError if the model refused.
    """
    if not response.choices or not response.choices[0].message:
        raise AnswerError("the answer is empty")
    choice = response.choices[0]
    message = choice.message
    fields = getattr(choice, "provider_specific_fields", None) or {}
    native = fields.get("native_finish_reason")
    broken = fields.get("error") or (native if native in BROKEN_OFF else None)
    if broken:
        said = broken.get("message", broken) if isinstance(broken, dict) else broken
        raise AnswerError(f"the provider broke the answer off: {said}")
    thoughts = getattr(message, "reasoning_content", None)
    functions = [getattr(call, "function", None) for call in message.tool_calls or []]
    calls = [each for each in (*functions, getattr(message, "function_call", None)) if each]
    called = next((call for call in calls if call.name == name), calls[0] if calls else None)
    if choice.finish_reason == "length" or native in FULL:
        while_thinking = " while the model was thinking" if thoughts and not (message.content or called) else ""
        written = int(getattr(getattr(response, "usage", None), "completion_tokens", None) or limit)
        is_early = written < LEAST_WRITTEN * limit
        where = f" after {written:,} of {limit:,} tokens" if is_early else ""
        cure = "raise the server's context or its own limit, or var llm_answer_tokens" if is_early else CURE
        raise CutOffError(f"the answer is cut off{while_thinking}{where}: {cure}")
    if called:
        return str(called.arguments)
    # Some servers take the whole answer for thoughts.
    content = message.content or (thoughts if choice.finish_reason == "stop" else None)
    if content:
        return str(content)
    if choice.finish_reason == "content_filter":
        raise FinalError("the provider's filter held the answer back")
    refusal = (getattr(message, "provider_specific_fields", None) or {}).get("refusal")
    if refusal:
        raise FinalError(f"the model refused: {refusal}")
    raise AnswerError("the answer is empty")


def parsed(content: str, answer: type[Expected]) -> Expected:
    """The last JSON object in an answer that fits the schema; other text, such as thoughts, is ignored.

    The object may stand in a list, or under the name of a tool. Values in another type are read if nothing is lost:
    "1" and 1.0 for 1, "Other" for other, a list or an object as JSON text. Raises AnswerError.
    """
    try:
        return fitting(content, answer)
    except RecursionError:
        raise AnswerError("the answer has more brackets within brackets than can be read") from None


def fitting(content: str, answer: type[Expected]) -> Expected:
    """What parsed returns. Raises AnswerError, and RecursionError for many brackets within brackets."""
    content = from_text(content, str)
    # A text inside the object may hold the mark, too.
    objects = list(json_objects(content.rpartition("</think>")[2])) or list(json_objects(content))
    if not objects:
        raise AnswerError("the answer holds no JSON object" if "{" not in content else "the answer is not valid JSON")
    schema = answer_schema(answer)
    # Of the objects that do not fit, the error of the one with the most fields says the most.
    objects.sort(key=lambda found: len(found.keys() & schema["properties"].keys()))
    reasons = []
    for found in reversed(objects):
        try:
            return answer.model_validate_json(json.dumps(fitted(found, schema)))
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            reasons.append(f"{'.'.join(map(str, problem['loc'])) or 'answer'}: {problem['msg']}")
    # The object around those that were found may be broken.
    if 2 * len(objects[-1].keys() & set(schema["required"])) < len(schema["required"]):
        raise AnswerError(f"the answer holds no valid JSON object with the fields {', '.join(schema['required'])}")
    raise AnswerError(reasons[0])


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """All JSON objects of a text, an object before those inside it."""
    # Line breaks inside texts and commas before a bracket are no valid JSON, but nothing is lost by reading them.
    decoder, place = json.JSONDecoder(strict=False), text.find("{")
    has_last_comma = LAST_COMMA.search(text)
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
            if has_last_comma:
                plainer = TEXT_OR_LAST_COMMA.sub(lambda match: match[1] or "", text[place:])
                is_plainer = len(text) - place > len(plainer)
                text, end = text[:place] + plainer, place if is_plainer else end
        else:
            yield from with_inner_objects(found)
        place = text.find("{", end)


def with_inner_objects(value: Any) -> Iterator[dict[str, Any]]:
    """A JSON object, and those under its keys; text that holds a JSON object counts as one."""
    value = from_text(value, dict)
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from with_inner_objects(inner)


def fitted(value: Any, schema: dict[str, Any]) -> Any:
    """A JSON value in the types of a schema, where no information is lost; otherwise as it is."""
    kind = schema.get("type")
    if kind == "object" and isinstance(value := from_text(value, dict), dict):
        properties = schema["properties"]
        return {name: fitted(each, properties.get(name, {})) for name, each in value.items()}
    if kind == "array" and isinstance(value := from_text(value, list), list):
        return [fitted(each, schema["items"]) for each in value]
    if kind == "integer" and not isinstance(value, bool):
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value.strip()):
            return int(value)
        return int(value) if isinstance(value, float) and value.is_integer() else value
    if kind == "boolean" and isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    if "enum" in schema and isinstance(value, str):
        return next((each for each in schema["enum"] if each.lower() == value.strip().lower()), value)
    return value


def from_text(value: Any, kind: type) -> Any:
    """The JSON value that a text holds, if it is of this kind; otherwise the value as it is."""
    if isinstance(value, str) and value.strip()[:1] in ("{", "[", '"'):
        try:
            found = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return value
        return found if isinstance(found, kind) else value
    return value
