"""Markdown that users write, as HTML that is safe to show."""

from __future__ import annotations

import markdown
import nh3
from django.utils.safestring import SafeString, mark_safe

# No images: a picture elsewhere would tell its host who reads, and the content policy stops it.
TAGS = {
    *("a", "abbr", "blockquote", "br", "code", "dd", "dl", "dt", "em", "hr", "li", "ol", "p"),
    *("pre", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    *("h3", "h4", "h5", "h6"),
}
ATTRIBUTES = {"a": {"href", "title"}, "abbr": {"title"}, "th": {"scope"}}
SCHEMES = {"http", "https", "mailto"}
# The page's own headings are of the first and second level.
_LOWER = {"h1": "h3", "h2": "h4"}


def prose(text: str) -> SafeString:
    """The text as HTML: headings from the third level on, no images, no scripts, no styles."""
    html = markdown.markdown(text, extensions=["tables"])
    for high, low in _LOWER.items():
        html = html.replace(f"<{high}>", f"<{low}>").replace(f"</{high}>", f"</{low}>")
    clean = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener nofollow"
    )
    return mark_safe(clean)  # noqa: S308 (sanitised by nh3)
