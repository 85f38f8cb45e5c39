"""A text without characters, addresses and tokens that nobody reads."""

import re
import unicodedata

import emoji

INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff"
    # Noncharacters, of which CLD2 says that they are no UTF-8.
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
SPACE = re.compile(r"\s+")
MAYBE_EMOJI = re.compile("[\xa9\xae\u203c-\u2bff\u3030-\u303d\u3297\u3299\U0001f000-\U0001faff]")
EMOJI_NAME = re.compile(r"(?<![\w:]):[a-z0-9_+-]{2,40}:(?![\w:])")
WEB_ADDRESS = re.compile(
    r"(?i)\bhttps?://(?:www\.)?(?:[^\s/@<>\"']{1,200}@)?([^\s/?#:<>\"'()\[\]]{1,253})[^\s<>\"'()\[\]]*+"
)
WORDLESS = re.compile(r"[\W_]*")
# Base64, hashes and other long tokens that nobody reads.
LONG_TOKEN = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/=_-]{60,}+")
# This character of private use replaces a "<" that is not markup while a parser reads the page.
SHIELD = "\ue000"


def tidy(text: str) -> str:
    """A text in one line, in normal form C, without invisible characters, emoji and long tokens.

    A web address is cut to its host.
    """
    if "//" in text:
        text = WEB_ADDRESS.sub(r"\1", text)
    text = LONG_TOKEN.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace(SHIELD, "<")
        if MAYBE_EMOJI.search(text):
            text = emoji.replace_emoji(text, "")
    if ":" in text:
        text = EMOJI_NAME.sub(
            lambda name: "" if emoji.is_emoji(emoji.emojize(name[0], language="alias")) else name[0], text
        )
    return SPACE.sub(" ", INVISIBLE.sub("", text)).strip()


def emoji_words(text: str) -> str:
    """The text with the names of its emoji, for example "fire"; empty if that text has no words either."""
    words = tidy(emoji.demojize(text, delimiters=(" ", " ")).replace("_", " "))
    return "" if WORDLESS.fullmatch(words) else words
