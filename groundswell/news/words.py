"""Text of posts in messages. Posts are hostile: no text of theirs may be a mention of everybody, a link or a tag."""

import re

# Characters that services read as commands: @everyone, <!channel>, [text](link).
UNSAFE = str.maketrans({"@": "@\u200b", "<": "‹", ">": "›", "`": "ʼ"})
# What a terminal obeys, and what turns the direction of the text around.
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LINK = re.compile(r"\]\s*\(")
# The same in addresses.
COMMAND = re.compile(r"[<>`]|@(?=everyone|here)")
LONGEST_QUOTE = 300


def in_one_line(text: str) -> str:
    """A text of a post in one line, without invisible characters that change how a line is shown."""
    return INVISIBLE.sub("", " ".join(text.split()))


def plain(text: str, longest: int = LONGEST_QUOTE) -> str:
    """A text of a post in one line, without characters that a terminal or a service would read as a command."""
    line = LINK.sub("] (", in_one_line(text)).replace("](", "] (").translate(UNSAFE)
    return line if len(line) <= longest else line[: longest - 2].rstrip() + " …"


def address(url: str) -> str:
    """The web address of a post. What a service would read as a command in it is percent-encoded."""
    return COMMAND.sub(lambda match: f"%{ord(match.group()):02X}", url)
