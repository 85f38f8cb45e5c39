"""Reads the answer of a language model: its schema, its text and its JSON object."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from groundswell.llm.errors import AnswerError

Expected = TypeVar("Expected", bound=BaseModel)


def answer_schema(answer: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of an answer, in the subset that all providers accept: no lengths, no optional fields."""

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
            if key in ("type", "properties", "items", "enum", "required")
        }
        return kept | ({"additionalProperties": False} if kept.get("type") == "object" else {})

    schema = answer.model_json_schema()
    return plain(schema)  # type: ignore[no-any-return]


def content_of(response: Any) -> str:
    """The text of a response, or the arguments of its tool call. Raises AnswerError if the response has neither."""
    if not response.choices:
        raise AnswerError("the answer is empty")
    choice = response.choices[0]
    if choice.message.tool_calls:
        return str(choice.message.tool_calls[0].function.arguments)
    if not choice.message.content:
        refusal = (getattr(choice.message, "provider_specific_fields", None) or {}).get("refusal")
        raise AnswerError(f"the model refused: {refusal}" if refusal else "the answer is empty")
    if choice.finish_reason == "length":
        raise AnswerError("the answer is cut off: raise var llm_answer_tokens")
    return str(choice.message.content)


def parsed(content: str, answer: type[Expected]) -> Expected:
    """The first JSON object in an answer; text before and after the object is ignored. Raises AnswerError."""
    start = content.find("{")
    if start < 0:
        raise AnswerError("the answer holds no JSON object")
    try:
        document, _ = json.JSONDecoder().raw_decode(content, start)
    except ValueError as error:
        raise AnswerError(f"the answer is not valid JSON: {error}") from None
    try:
        return answer.model_validate_json(json.dumps(document))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise AnswerError(f"{'.'.join(map(str, problem['loc'])) or 'answer'}: {problem['msg']}") from None
