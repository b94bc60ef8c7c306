"""docs/usage-forms.md names every form and quantity that is taken."""

from __future__ import annotations

from pathlib import Path

from accounting.usage.forms import json, tep, text, xml

DOC = Path(__file__).parents[3] / "docs" / "usage-forms.md"


def test_every_form_and_quantity_is_documented() -> None:
    known = {*text.FORMS, *xml.NAMESPACES, *(name for name, _ in json.ENVELOPES), *tep.MEASURES}
    document = DOC.read_text()
    assert {name for name in known if f"`{name}`" not in document} == set()
