"""News of the operators on the first page, and what Markdown of users may become."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.models import News
from portal.prose import prose
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_an_operator_writes_and_everybody_reads_until_it_ends(client):
    operator = make_user("operator", is_staff=True, is_superuser=True)
    client.force_login(operator)
    begins = timezone.now() - timedelta(minutes=1)
    form = {
        "title": "Maintenance <on> Friday",
        "text": "The *store* is **closed**.",
        "weight": "warning",
        "shown_from_0": f"{begins:%Y-%m-%d}",
        "shown_from_1": f"{begins:%H:%M:%S}",
    }
    answer = client.post(reverse("admin:portal_news_add"), form)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    assert News.objects.get().author == operator
    client.force_login(make_user("reader"))
    page = client.get("/").content.decode()
    assert "Maintenance &lt;on&gt; Friday" in page
    assert "<em>store</em> is <strong>closed</strong>" in page
    News.objects.update(shown_until=timezone.now())
    assert "Maintenance" not in client.get("/").content.decode()
    News.objects.update(shown_until=None, shown_from=timezone.now() + timedelta(hours=1))
    assert "Maintenance" not in client.get("/").content.decode()


def test_news_do_not_end_before_they_begin():
    late = News(title="t", shown_until=timezone.now() - timedelta(days=1))
    with pytest.raises(ValidationError, match="end after they begin"):
        late.full_clean()


def test_warnings_come_first_and_many_cost_no_more_queries(client):
    client.force_login(make_user("reader"))

    def asked() -> int:
        with CaptureQueriesContext(connection) as log:
            client.get("/")
        return len(log)

    News.objects.create(title="first")
    few = asked()
    News.objects.create(title="heed", weight=News.Weight.WARNING)
    News.objects.bulk_create(News(title=f"n{number}") for number in range(9))
    assert asked() == few
    page = client.get("/").content.decode()
    assert page.index("heed") < page.index("n8") < page.index("n7")
    assert "first" not in page  # the oldest of more than are shown


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("<script>alert(1)</script>", "alert"),
        ("[x](javascript:alert(1))", "javascript"),
        ("![x](https://elsewhere.example/p.png)", "elsewhere"),
        ('<img src=x onerror="alert(1)">', "onerror"),
        ('<a href="data:text/html,x">x</a>', "data:"),
        ('<p style="position:fixed">x</p>', "style"),
        ('<form action="/credit/"><button>x</button></form>', "<form"),
        ("<iframe src=//elsewhere.example></iframe>", "iframe"),
        ('<svg><a xlink:href="javascript:alert(1)">x</a></svg>', "javascript"),
        ("# A heading", "<h1"),
        ("A heading\n=========", "<h1"),
        ('<h1 class="x">A heading</h1>', "<h1"),
        ('<div id="main">x</div>', "id="),
    ],
)
def test_markdown_of_users_is_harmless(text, absent):
    assert absent not in prose(text)


def test_markdown_of_users_keeps_what_it_is_for():
    html = prose("# T\n\n- a\n- [b](https://example.org)\n\n|h|\n|-|\n|c|\n")
    for part in ("<h3>T</h3>", "<li>a</li>", 'href="https://example.org"', "<td>c</td>"):
        assert part in html
