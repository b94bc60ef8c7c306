"""Pages that are asked for again: 304 as long as nothing in them has changed."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date

# Masked anew with every page, and good as long as the cookie that it belongs to.
_TOKEN = re.compile(rb'((?:csrfmiddlewaretoken" value="|X-CSRFToken": "))[A-Za-z0-9]{64}')


def conditional(request: HttpRequest, response: HttpResponse, changed: datetime) -> HttpResponse:
    """The page with a tag of what is in it, or 304 for who has it already.

    `changed` is told to who has not signed in; a page for somebody shows more than its subject, the
    credit for one, and its date would promise too much.
    """
    cookie = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    shown = _TOKEN.sub(rb"\1", response.content)
    digest = hashlib.sha256(cookie.encode() + b"\0" + shown).hexdigest()[:32]
    etag = f'W/"{digest}"'
    moment = None if request.user.is_authenticated else int(changed.timestamp())
    response["ETag"] = etag
    if moment is not None:
        response["Last-Modified"] = http_date(moment)
    patch_vary_headers(response, ("Cookie", "Accept-Language"))
    known = get_conditional_response(request, etag=etag, last_modified=moment, response=response)
    answer: HttpResponse = known or response
    return answer
