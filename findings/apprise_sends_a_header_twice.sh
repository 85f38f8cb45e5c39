#!/usr/bin/env bash
# apprise 2.3.0; a mail server on loopback: aiosmtpd 1.4.6.
#
# Guess: a header of one's own in a mailto:// address (?+Message-ID=...), which apprise documents, takes the place of the
# one that apprise writes.
# Seen: the mail leaves with both. RFC 5322 allows one Message-ID, Subject and Date at most. So a sender can not give a
# mail an id by which a receiver knows a repetition, and a mail with two ids may be refused or shown under either.
# What we do: groundswell/news/addresses.py writes the id of a message into a header of its own, X-Groundswell-Id.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apprise==2.3.0 aiosmtpd==1.4.6
"$folder/venv/bin/python" -W ignore - <<'PY'
import socket
import sys
from email import message_from_bytes
from importlib.metadata import version

from aiosmtpd.controller import Controller
from apprise import Apprise

for name in ("apprise", "aiosmtpd"):
    print(name, version(name))


class Mailbox:
    """Keeps what arrives."""

    mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
mailbox = Mailbox()
controller = Controller(mailbox, hostname="127.0.0.1", port=port)
controller.start()
sender = Apprise()
sender.add(f"mailto://127.0.0.1:{port}/?from=a@example.com&to=b@example.com&+Message-ID=%3Cmine@example.com%3E&+Reply-To=c@example.com")
took_it = bool(sender.notify(title="Title", body="Text"))
controller.stop()
[mail] = mailbox.mails
found = mail.get_all("Message-ID")
print("sent:", took_it)
print("Reply-To:", mail.get_all("Reply-To"))
print("Message-ID:", found)
if took_it and len(found) == 2 and "<mine@example.com>" in found:
    print("As stated: the mail has two ids.")
else:
    print("Changed.")
    sys.exit(1)
PY
