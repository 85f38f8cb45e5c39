"""Where alerts and digests go: the addresses in a variable of the environment, separated by blanks.

apprise (https://appriseit.com/services/) knows the services: Slack, Discord, e-mail and a hundred others. Any other
http or https address is a webhook. It gets JSON with the headers of https://www.standardwebhooks.com, signed with
ALERT_WEBHOOK_SECRET.

Addresses hold keys. No log and no table holds an address: people see a name like "slack 3f2a".
"""

import base64
import binascii
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from typing import Any

import httpx
import orjson
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from groundswell.environment import address_fault
from groundswell.errors import GroundswellError, adding

WEBHOOK_SECRET = "ALERT_WEBHOOK_SECRET"  # noqa: S105  (the name of a variable)
ATTEMPTS = 3
LONGEST_PAUSE_SECONDS = 10
TIMEOUT_SECONDS = 20.0
# Answers after which the same request may succeed.
PASSING = {408, 425, 429, 500, 502, 503, 504}


class AddressError(GroundswellError):
    """An address that can not be used, or a service that did not take a message."""


class PassingError(AddressError):
    """A service that may take the message if it is sent again."""


@dataclass(frozen=True)
class Message:
    """What is sent: title and text, the same as HTML for e-mail if there is any, and the same as data for webhooks."""

    message_id: str
    kind: str
    title: str
    text: str
    data: dict[str, Any]
    html: str = ""


@dataclass(frozen=True)
class Address:
    """A place that takes messages. name: what people and tables see of it, without its keys."""

    name: str
    send_once: Callable[[Message], None] = field(repr=False)

    def send(self, message: Message) -> None:
        """Send a message; repeat it twice if that may help. Raises AddressError with one line."""
        retrying = Retrying(
            retry=retry_if_exception_type(PassingError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(max=LONGEST_PAUSE_SECONDS),
            reraise=True,
        )
        try:
            retrying(self.send_once, message)
        except AddressError as error:
            raise AddressError(f"{self.name}: {error}") from None


def require_packages() -> None:
    """Raise AddressError if the packages of extra `alerts` are not installed."""
    if not all(find_spec(name) for name in ("apprise", "standardwebhooks", "feedgen")):
        raise AddressError(f"the packages for alerts are not installed: {adding('alerts')}")


def addresses(variable: str) -> list[Address]:
    """The addresses in a variable. Raises AddressError for one that can not be read."""
    urls = os.environ.get(variable, "").split()
    if urls:
        require_packages()
        # Both log addresses.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        logging.getLogger("httpx").setLevel(logging.WARNING)
    return [address(url, f"address {number} in {variable}") for number, url in enumerate(urls, start=1)]


def address(url: str, place: str) -> Address:
    """The address that a URL means. place: which one it is, for an error. Raises AddressError."""
    from apprise import Apprise

    if re.search(r",[a-z]+://", url, re.IGNORECASE):
        raise AddressError(f"{place} is two addresses: separate them by a blank, not by a comma")
    service = Apprise.instantiate(url, suppress_exceptions=True)
    # Four digits tell addresses apart, and are too few to guess a password by.
    mark = sha256(url.encode()).hexdigest()[:4]
    if service is not None:
        return Address(f"{str(service.service_name).lower()} {mark}", partial(send_by_apprise, url))
    scheme = url.partition("://")[0].lower()
    if scheme not in ("http", "https"):
        known = re.sub(r"[^a-z0-9+.-]", "", scheme[:20])
        raise AddressError(
            f"{place} ({known}://…) can not be read: https://appriseit.com/services/ shows how the address of a service"
            " is written"
        )
    if fault := address_fault(place, url):
        raise AddressError(fault)
    secret = os.environ.get(WEBHOOK_SECRET, "")
    if not secret:
        raise AddressError(f"{place} is a webhook, and messages to it are signed: set {WEBHOOK_SECRET}")
    return Address(f"webhook {httpx.URL(url).host} {mark}", partial(send_to_webhook, url, signing_key(secret)))


def signing_key(secret: str) -> bytes:
    """The key of a webhook's signature: the secret itself, or what it encodes if it is written as receivers give it.

    A secret of the Standard Webhooks begins with whsec_, and goes on in base64. Raises AddressError if it does not.
    """
    prefix = "whsec_"
    if not secret.startswith(prefix):
        return secret.encode()
    text = secret.removeprefix(prefix)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise AddressError(f"{WEBHOOK_SECRET} begins with {prefix}, and what follows is no base64")
    return key


def send_by_apprise(url: str, message: Message) -> None:
    """Send a message through apprise. Raises AddressError."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, OverflowMode

    service = Apprise.instantiate(url, asset=AppriseAsset(app_id="Groundswell", app_url="", secure_logging=True))
    if service is None:
        raise AddressError("the address can not be read any more")
    # apprise sends a long text whole, which Discord and Slack refuse.
    service.overflow_mode = OverflowMode.SPLIT
    if isinstance(headers := getattr(service, "headers", None), dict):
        headers["X-Groundswell-Id"] = message.message_id
    takes_html = bool(message.html) and url.lower().startswith("mailto")
    sender = Apprise()
    sender.add(service)
    outcome = sender.notify(
        title=message.title,
        body=message.html if takes_html else message.text,
        body_format=NotifyFormat.HTML if takes_html else NotifyFormat.TEXT,
    )
    if not outcome:
        raise PassingError("the service did not take the message: is the address right, and can it be reached?")


def send_to_webhook(url: str, key: bytes, message: Message) -> None:
    """Post a message as signed JSON. Raises AddressError."""
    from standardwebhooks import Webhook

    moment = datetime.now(UTC)
    body = orjson.dumps(
        {"type": f"groundswell.{message.kind}", "timestamp": moment.isoformat(), "data": message.data},
    ).decode()
    try:
        signature = Webhook(key).sign(message.message_id, moment, body)
        answer = httpx.post(
            url,
            content=body,
            headers={
                "content-type": "application/json",
                "webhook-id": message.message_id,
                "webhook-timestamp": str(int(moment.timestamp())),
                "webhook-signature": signature,
            },
            timeout=TIMEOUT_SECONDS,
        )
    except httpx.HTTPError as error:
        raise PassingError(f"it can not be reached ({type(error).__name__})") from None
    if answer.is_success:
        return
    reason = f"it answered {answer.status_code}"
    raise PassingError(reason) if answer.status_code in PASSING else AddressError(reason)
