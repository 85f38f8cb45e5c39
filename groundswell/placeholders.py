"""Placeholders: what services and archives show in place of a text or a name that is gone."""

import re

# [deleted] · [removed by moderator] · [deleted by user] · [flagged] [dead]
# [ Removed by Reddit on account of violating the [content policy](/help/contentpolicy). ]
REASON = r"\s+(?:by|on)\s[^\[\]]{0,80}(?:\[[^\[\]]{0,80}\](?:\([^()]{0,200}\))?[^\[\]]{0,20})?"
MARK = rf"\\?\[\s*(?:deleted|removed|unavailable)(?:{REASON})?\s*\.?\s*\\?\]|\[(?:dead|flagged|delayed|dupe)\]"
GONE = re.compile(rf"(?:<p>|[\s*_])*(?:{MARK})(?:\s*(?:{MARK}))*(?:</p>|[\s*_.])*", re.IGNORECASE)


def is_gone(text: str) -> bool:
    """Whether a text is only a placeholder for what was deleted, removed or not shown."""
    return "[" in text[:20] and bool(GONE.fullmatch(text))
