"""Replaces private data in posts: e-mail addresses, telephone numbers, keys, tokens and passwords.

Grain: one row per url_hash.
Method: patterns find the prefixes of keys, RFC 5321 addresses, PEM blocks and values that are assigned to a password.
The numbering plans of libphonenumber decide on telephone numbers. Every pattern takes time in proportion to the text.
Most texts have nothing to replace: what a match must contain is looked for before the pattern, at a fraction of its
time. Both the collected post and its plain text are searched: markup in the post can hide an address, and the plain
text lacks long tokens.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import phonenumbers
import pyarrow as pa

from groundswell.relations import subquery

BATCH = 1_000

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("title", pa.string()),
        ("body", pa.string()),
        ("redacted_title", pa.string()),
        ("redacted_body", pa.string()),
        ("redacted_emails", pa.int32()),
        ("redacted_phones", pa.int32()),
        ("redacted_secrets", pa.int32()),
        ("collection_date", pa.date32()),
    ]
)

# Each pattern starts at a literal or a boundary, and its repetitions are bounded or possessive (`++`). So no pattern
# reads the same characters twice.

# Keys with the prefix of a service. Every service documents its prefix; the lengths are lower bounds.
KEYS = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"gh[pousr]_[A-Za-z0-9]{30,255}"  # GitHub
    r"|github_pat_\w{30,255}"
    r"|glpat-[\w-]{20,64}"  # GitLab
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # AWS
    r"|xox[a-z]-[\w-]{10,255}|xapp-[\w-]{20,255}"  # Slack
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{10,255}|whsec_[A-Za-z0-9+/=]{20,255}"  # Stripe
    r"|sk-(?=[\w-]{0,60}\d)[\w-]{20,255}"  # OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-)
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,2000}|GOCSPX-[\w-]{20,64}"  # Google
    r"|hf_[A-Za-z0-9]{30,64}"  # Hugging Face
    r"|gsk_[A-Za-z0-9]{40,64}"  # Groq
    r"|xai-[A-Za-z0-9]{40,128}|r8_[A-Za-z0-9]{30,64}|pplx-[A-Za-z0-9]{30,64}"  # xAI, Replicate, Perplexity
    r"|npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,2000}"  # npm, PyPI
    r"|dop_v1_[a-f0-9]{64}|shp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}"  # DigitalOcean, Shopify
    r"|SG\.[\w-]{16,64}\.[\w-]{16,64}|key-[a-f0-9]{32}(?![a-f0-9])"  # SendGrid, Mailgun
    r"|eyJ[\w-]{8,4000}\.eyJ[\w-]{8,4000}(?:\.[\w-]{0,4000})?"  # JSON Web Token, RFC 7519
    r")"
)
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[\s\S])*+(?:-----END [A-Z ]{0,40}-----)?"
)  # RFC 7468
# scheme://user:password@host, RFC 3986; Hacker News writes a slash as an entity.
ADDRESS_PASSWORD = re.compile(r"(:(?://|&#x2F;&#x2F;)[^\s/:@<>\"'\[\]]{0,100}:)([^\s/@<>\"'\[\]{}]{1,200})(?=@[\w\[])")
AUTHORIZATION = re.compile(
    r"(?i)(\b(?:bearer|basic)(?: |&nbsp;){1,3})((?=[a-z._~+/-]{0,200}\d)[\w.~+/-]{20,2000}={0,2})"
)
# What a match of AUTHORIZATION must contain, and one of ASSIGNMENT.
SCHEMES = ("bearer", "basic")
SECRET_NAMES = ("pass", "pwd", "key", "secret", "token")
# Keys as test nothing_private_leaves_documents looks for them; LEFT_EMAIL does the same for addresses. Both come last
# and take what the others miss: one post that failed this test would keep a whole day from the board.
LEFT_KEY = re.compile(
    r"(?a)-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:gh[pousr]_[A-Za-z0-9]{36}|AKIA[A-Z0-9]{16}\b|sk_live_[A-Za-z0-9]{20}"
    r"|xox[bp]-[0-9]{8}|glpat-[A-Za-z0-9_-]{20}|hf_[A-Za-z0-9]{30}|AIza[A-Za-z0-9_-]{35})[\w-]*"
)
WEBHOOK = re.compile(r"(hooks\.slack\.com(?:/|&#x2F;)(?:services|workflows)(?:/|&#x2F;))([\w/&#;-]{20,200})")
QUOTE = r"(?:[\"'`]|&quot;|&#39;|&#x27;|&#34;)"
# name = value, name: "value", "name": "value"; group 2 is an opening quotation mark or nothing, 3 the value.
ASSIGNMENT = re.compile(
    r"(?i)(?<![a-z])((?:pass(?:word|wd|phrase)|pwd|(?:api|access|account|auth|private|encryption|signing"
    r"|storage|master)"
    r"[_-]?key|secret(?:[_-]?(?:access[_-]?)?key)?|(?:access|auth|refresh|bot|session|api|client|app|consumer|oauth)"
    r"[_-]?(?:token|secret)|token)"
    r"(?:"
    + QUOTE
    + r")?[ \t]{0,8}(?:=>|[:=])[ \t]{0,8})("
    + QUOTE
    + r")?([^\s\"'`<>(){}\[\],;&\\]{4,500})(?=([\s\"'`<,;&)\]}\\]|$)?)"
)
# Placeholders for a password. They are not secret.
PLACEHOLDER = re.compile(
    r"(?i)(?:(.)\1*|[*x.•_-]+|.*(?:your|my[_-]|example|placeholder|redacted|change_?me|dummy|todo|here).*"
    r"|pass(?:word|wd)?\d*|secret|null|none|true|false|undefined|string|str|text|required|optional|bearer|basic)"
)
IDENTIFIER = re.compile(r"[$@%]?[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)*\.?")

AT = r"(?:@|%40|&#0{0,4}64;|&#[xX]0{0,4}40;|&commat;)"
DOT = r"(?:\.|&#0{0,4}46;|&#[xX]0{0,4}2[eE];|&period;)"
# RFC 5321 allows more characters, which nobody uses. The match starts at a boundary, so that each run of characters is
# read once.
EMAIL = re.compile(
    r"(?<![\w.+%'-])([\w.+'-][\w.+%'-]{0,100}?)"
    + AT
    + r"([\w-]{1,63}(?:"
    + DOT
    + r"[\w-]{1,63}){0,8}"
    + DOT
    + r"[^\W\d_]{2,24})(?![\w@-])"
)
LEFT_EMAIL = re.compile(
    r"(?a)(?<![\w.%+'-])\.*+([\w%+'-][\w.%+'-]*+)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24})\b"
    # What runs on to another @ is no name of a file.
    r"((?:[\w.%+'-]*+@[A-Za-z0-9.-]*+)*+)"
)
SPELT_AT = r"[\[({<] ?at ?[\])}>]"
SPELT_EMAIL = re.compile(
    r"(?i)(?<![\w.+-])[\w.+-]{1,64} ?(?:" + SPELT_AT + r") ?[\w-]{1,63}(?: ?(?:\.|[\[({<] ?(?:dot"
    r"|punkt) ?[\])}>]) ?[\w-]{1,63}){1,4}"
)
# What a match of EMAIL must contain, and one of SPELT_EMAIL.
AT_SIGN = re.compile(AT)
SPELT_AT_SIGN = re.compile("(?i)" + SPELT_AT)
# Endings of file names that are no top-level domains, as in icon@2x.png or pkg@1.2.3-beta.js.
FILE_ENDINGS = frozenset("png jpg jpeg gif svg webp ico js mjs ts tsx jsx css scss html json yaml yml dll exe".split())

PLUS = r"(?:\+|&#0{0,4}43;|&#[xX]2[bB];|&plus;)"
INTERNATIONAL_PHONE = re.compile(r"(?<![\w.+/=&#-])" + PLUS + r"([1-9][\d ().\xa0/–-]{6,22}\d)(?![\w%])")
# North American numbers, which people write without a plus: (415) 555-2671, 415-555-2671, 415.555.2671.
AMERICAN_PHONE = re.compile(
    r"(?<![\w.+/=&#:$-])(?:1[ .-])?(?:\([2-9]\d\d\) ?[2-9]\d\d[ .-]|[2-9]\d\d([.-])[2-9]\d\d\1)\d{4}(?![\w-]|\.\d)"
)
LABELLED_PHONE = re.compile(
    r"(?i)(\b(?:phone|tel|telephone|mobile|cell|cellphone|whats ?app|fax|call (?:me|us)|text me)"
    r"(?: number| no| at| on| is){0,2}[.:#]{0,2} ?)([(]?\d[\d ().-]{6,18}\d)(?![\w.-])"
)
# What a match of INTERNATIONAL_PHONE must contain, and one of the other three.
PLUS_SIGN = re.compile(PLUS)
DIGITS = re.compile(r"\d[\d ().-]{6,18}\d")
WHATSAPP = re.compile(r"(wa\.me/|tel:)(\d{8,15})(?!\d)")
DATE_OR_VERSION = re.compile(r"(?:19|20)\d\d[-./ ][01]?\d[-./ ]|\d+(?:\.\d+){2,}$")


class Counts(NamedTuple):
    """The numbers of replaced e-mail addresses, telephone numbers and secrets."""

    emails: int = 0
    phones: int = 0
    secrets: int = 0


class Redacted(NamedTuple):
    """A text without private data, and how much was replaced."""

    text: str
    counts: Counts


def is_secret(match: re.Match[str]) -> bool:
    """Whether the value in a match of ASSIGNMENT is a secret, and not an expression, a variable or a placeholder."""
    name, quote, value = match[1].lower(), match[2], match[3]
    # The value is part of an expression: a call, an index or an operator follows.
    if match[4] is None or PLACEHOLDER.fullmatch(value) or value.startswith(("$", "%", "/", "=")):
        return False
    if name.startswith(("pass", "pwd")):
        return (
            bool(quote)
            or (len(value) >= 6 and has_digit(value) and not IDENTIFIER.fullmatch(value))
            or (len(value) >= 6 and has_digit(value) and "." not in value)
        )
    return len(value) >= (12 if quote else 16) and has_digit(value) and not value.isdigit()


def has_digit(text: str) -> bool:
    """Whether a text has a digit."""
    return any(character.isdigit() for character in text)


def folded(text: str) -> str:
    """A text in lower case; letters that `(?i)` takes for ASCII letters, such as the long s, are those letters."""
    return text.lower() if text.isascii() else text.replace("İ", "i").lower().replace("ı", "i").replace("ſ", "s")


def has_any(text: str, words: Iterable[str]) -> bool:
    """Whether a text contains one of some words in lower case, whatever its case."""
    lower = folded(text)
    return any(word in lower for word in words)


def redact_secrets(text: str) -> tuple[str, int]:
    """Replace keys, tokens and passwords by [secret]. Returns the text and the number of replacements."""
    found = 0

    def whole(_: re.Match[str]) -> str:
        nonlocal found
        found += 1
        return "[secret]"

    def value(match: re.Match[str]) -> str:
        nonlocal found
        found += 1
        return f"{match[1]}[secret]"

    def assigned(match: re.Match[str]) -> str:
        nonlocal found
        if not is_secret(match):
            return match[0]
        found += 1
        return f"{match[1]}{match[2] or ''}[secret]"

    if "-----BEGIN" in text:
        text = PRIVATE_KEY.sub(whole, text)
    text = ADDRESS_PASSWORD.sub(value, text)
    text = KEYS.sub(whole, text)
    if has_any(text, SCHEMES):
        text = AUTHORIZATION.sub(value, text)
    if "hooks.slack.com" in text:
        text = WEBHOOK.sub(value, text)
    if has_any(text, SECRET_NAMES):
        text = ASSIGNMENT.sub(assigned, text)
    text = LEFT_KEY.sub(whole, text)
    return text, found


def is_name(match: re.Match[str]) -> bool:
    """Whether a match of EMAIL or LEFT_EMAIL is the name of a file, or begins the address of a repository."""
    is_repository = match[1] == "git" and match.string.startswith((":", "/"), match.end())
    return is_repository or match[2].lower().rpartition(".")[2] in FILE_ENDINGS


def redact_emails(text: str) -> tuple[str, int]:
    """Replace e-mail addresses by [email]. Returns the text and the number of replacements.

    git@host:path is the address of a repository, and not an e-mail address.
    """
    found = 0

    def replaced(match: re.Match[str]) -> str:
        return match[0] if is_name(match) else address(match)

    def left(match: re.Match[str]) -> str:
        return address(match) if match[3] else replaced(match)

    def address(_: re.Match[str]) -> str:
        nonlocal found
        found += 1
        return "[email]"

    if AT_SIGN.search(text):
        text = EMAIL.sub(replaced, text)
    if SPELT_AT_SIGN.search(text):
        text = SPELT_EMAIL.sub(address, text)
    if "@" in text:
        text = LEFT_EMAIL.sub(left, text)
    return text, found


def is_phone(number: str) -> bool:
    """Whether +number is a telephone number.

    A number in groups must have a length that its country's numbering plan allows. A number of digits alone must be in
    an assigned range.
    """
    try:
        parsed = phonenumbers.parse("+" + number)
    except phonenumbers.NumberParseException:
        return False
    if number.isdigit():
        return phonenumbers.is_valid_number(parsed)
    return phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE


def redact_phones(text: str) -> tuple[str, int]:
    """Replace telephone numbers by [phone]. Returns the text and the number of replacements."""
    found = 0

    def international(match: re.Match[str]) -> str:
        nonlocal found
        if not is_phone(match[1]):
            return match[0]
        found += 1
        return "[phone]"

    def american(_: re.Match[str]) -> str:
        nonlocal found
        found += 1
        return "[phone]"

    def labelled(match: re.Match[str]) -> str:
        nonlocal found
        digits = sum(character.isdigit() for character in match[2])
        if not 7 <= digits <= 15 or DATE_OR_VERSION.match(match[2]):
            return match[0]
        found += 1
        return f"{match[1]}[phone]"

    if PLUS_SIGN.search(text):
        text = INTERNATIONAL_PHONE.sub(international, text)
    if DIGITS.search(text):
        text = AMERICAN_PHONE.sub(american, text)
        text = LABELLED_PHONE.sub(labelled, text)
        text = WHATSAPP.sub(labelled, text)
    return text, found


def redact(text: str) -> Redacted:
    """Replace private data in a text, with or without markup."""
    # Secrets come first: the password in user:password@host, with the host, looks like an e-mail address.
    text, secrets = redact_secrets(text)
    text, emails = redact_emails(text)
    text, phones = redact_phones(text)
    return Redacted(text, Counts(emails, phones, secrets))


def shown(original: str | None, plain: Redacted) -> tuple[str | None, Counts]:
    """The original text without private data, and how much was replaced in it or in its plain text.

    If the patterns find more in the plain text, because markup hides private data in the original, the redacted plain
    text replaces the original.
    """
    if original is None:
        return None, plain.counts
    redacted = redact(original)
    counts = Counts(*map(max, redacted.counts, plain.counts))
    return redacted.text if counts == redacted.counts else plain.text, counts


def redact_post(row: dict[str, Any]) -> dict[str, Any]:
    """The row of SCHEMA for a post; `row` has url_hash, title, body, plain_title, plain_body and collection_date."""
    title, body = redact(row["plain_title"]), redact(row["plain_body"])
    redacted_title, in_title = shown(row["title"], title)
    redacted_body, in_body = shown(row["body"], body)
    return {
        "url_hash": row["url_hash"],
        "title": title.text,
        "body": body.text,
        "redacted_title": redacted_title,
        "redacted_body": redacted_body,
        "redacted_emails": in_title.emails + in_body.emails,
        "redacted_phones": in_title.phones + in_body.phones,
        "redacted_secrets": in_title.secrets + in_body.secrets,
        "collection_date": row["collection_date"],
    }


def redact_posts(posts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of SCHEMA for batches of posts."""
    for batch in posts:
        yield pa.RecordBatch.from_pylist([redact_post(row) for row in batch.to_pylist()], schema=SCHEMA)


def model(dbt: Any, session: Any) -> pa.RecordBatchReader:
    """Return the day's posts without private data, batch by batch."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="collection_date")
    raw_items = dbt.source("bronze", "raw_items")
    plain_texts = dbt.ref("plain_texts")
    run_date = dbt.config.meta_get("run_date")

    posts = session.sql(
        f"""
        select
            url_hash,
            raw_items.title,
            raw_items.body,
            plain_texts.title as plain_title,
            plain_texts.body as plain_body,
            raw_items.collection_date,
        from {subquery(raw_items)} as raw_items
        inner join {subquery(plain_texts)} as plain_texts using (url_hash)
        where raw_items.collection_date = date '{run_date}'
        """
    ).to_arrow_reader(BATCH)
    # dbt-duckdb inserts the result through another cursor, so this cursor can still be read.
    return pa.RecordBatchReader.from_batches(SCHEMA, redact_posts(posts))
