"""The overview of the dbt docs: it carries the picture of the flow inside, since the docs site is one file."""

import base64
import re

from tests.support.project import ROOT


def test_the_picture_in_the_overview_is_that_of_the_docs() -> None:
    pictures = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", (ROOT / "models" / "overview.md").read_text())
    assert [base64.b64decode(picture) for picture in pictures] == [(ROOT / "docs" / "flow.svg").read_bytes()]
