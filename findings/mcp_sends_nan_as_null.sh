#!/usr/bin/env bash
# mcp 2.3.0, the official SDK of the Model Context Protocol: a tool whose answer has a field of type float.
#
# Guess: if the field is NaN, the server refuses the answer, since JSON has no NaN, and the client gets a result with
# is_error and the reason.
# Seen: the server sends null as a valid answer, although the schema that it gave for the tool says number. The SDK's own
# client then checks the answer against that schema, and raises RuntimeError instead of returning a result.
# What we do: numbers that are not finite leave our server as null in fields that may be null (groundswell/ask.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mcp==2.3.0
cd "$folder"
venv/bin/python - <<'PY'
import asyncio
from importlib.metadata import version

from mcp import Client
from mcp.server import MCPServer
from pydantic import BaseModel


class Share(BaseModel):
    share: float


server = MCPServer("shares", log_level="ERROR")


@server.tool()
def share(of: float) -> Share:
    return Share(share=float("nan") if of == 0 else 1 / of)


async def talk() -> tuple[object, str, str]:
    async with Client(server) as client:
        [tool] = (await client.list_tools()).tools
        kind = tool.output_schema["properties"]["share"]["type"]
        good = await client.call_tool("share", {"of": 4})
        try:
            bad = await client.call_tool("share", {"of": 0})
            return good.structured_content, kind, f"a result, is_error {bad.is_error}: {bad.structured_content}"
        except RuntimeError as error:
            return good.structured_content, kind, f"RuntimeError: {str(error).splitlines()[0]}"


good, kind, bad = asyncio.run(talk())
print("mcp", version("mcp"), "| the schema says", kind, "| a quarter:", good)
print("NaN:", bad)
is_as_stated = kind == "number" and good == {"share": 0.25} and "None is not of type 'number'" in bad
raise SystemExit(0 if is_as_stated else "Changed: NaN no longer leaves as null against the tool's own schema.")
PY
echo "As stated: NaN leaves the server as null, and fails in the client."
