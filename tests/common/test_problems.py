"""Errors of an API, pages of lists, secrets at rest: as a client or an operator sees them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.http import Http404
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.generics import ListAPIView

from common import crypto, errors
from common.pages import ListPagination

RAISED: dict[str, Exception] = {
    "credit": errors.InsufficientCredit(required=Decimal("1.500000"), account="Group"),
    "input": errors.InvalidInput(errors={"threshold": ["too large"]}),
    "sign-in": errors.NotAuthenticated(),
    "drf-sign-in": exceptions.NotAuthenticated(),
    "drf-key": exceptions.AuthenticationFailed("The key is revoked."),
    "hidden": errors.NotFound(),
    "django-404": Http404("Job matching query id=5 does not exist"),
    "django-403": PermissionDenied("secret reason"),
    "django-invalid": ValidationError({"name": ["taken"]}),
    "nested": exceptions.ValidationError(
        {"inputs": [{}, {"value": ["wrong"]}], "non_field_errors": ["both"], "list": ["a", "b"]}
    ),
    "throttled": exceptions.Throttled(wait=12.3),
    "provider": errors.ProviderTimeout(),
    "body": RequestDataTooBig("Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE."),
    "ours": RuntimeError("password=hunter2 at /srv/secret"),
    "refused": errors.ProviderRefused("full", native_code="NotEnoughStorage", ows_code="X"),
}


@api_view(["GET"])
@authentication_classes([])
@permission_classes([])
def failing(request, name):
    raise RAISED[name]


class Numbers(ListAPIView):
    authentication_classes = ()
    permission_classes = ()
    pagination_class = ListPagination
    queryset = range(450)

    class serializer_class(serializers.Serializer):  # noqa: N801 (DRF's name)
        def to_representation(self, instance):
            return instance

    def filter_queryset(self, queryset):
        return queryset


urlpatterns = [path("fail/<name>", failing), path("numbers", Numbers.as_view())]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("name", "status", "code", "facts"),
    [
        ("credit", 402, "insufficient_credit", {"required": "1.500000", "account": "Group"}),
        ("input", 400, "invalid_input", {"errors": {"threshold": ["too large"]}}),
        ("sign-in", 401, "not_authenticated", {}),
        ("drf-sign-in", 401, "not_authenticated", {}),
        ("drf-key", 401, "not_authenticated", {"detail": "The key is revoked."}),
        ("hidden", 404, "not_found", {}),
        ("django-404", 404, "not_found", {"detail": "There is no such thing here."}),
        ("django-403", 403, "forbidden", {"detail": "You may not do this."}),
        ("django-invalid", 400, "invalid_input", {"errors": {"name": ["taken"]}}),
        (
            "nested",
            400,
            "invalid_input",
            {"errors": {"inputs.1.value": ["wrong"], "": ["both"], "list": ["a", "b"]}},
        ),
        ("throttled", 429, "rate_limited", {"retry_after": 13}),
        ("provider", 504, "provider_timeout", {}),
        ("body", 413, "too_large", {"detail": "This is larger than allowed."}),
        ("ours", 500, "error", {"detail": "Something went wrong."}),
        ("refused", 502, "provider_refused", {"detail": "full"}),
    ],
)
def test_every_error_is_a_problem(client, name, status, code, facts):
    response = client.get(f"/fail/{name}")
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:tep-portal:problem:{code}"
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["title"]
    assert problem["detail"]
    assert facts.items() <= problem.items()
    assert not {"native_code", "ows_code"} & problem.keys()
    assert "hunter2" not in response.content.decode()
    assert ("WWW-Authenticate" in response) == (status == 401)
    assert response.get("Retry-After") == ("13" if status == 429 else None)


@pytest.mark.urls(__name__)
def test_what_django_rest_framework_refuses_by_itself_is_a_problem_too(client):
    response = client.post("/fail/hidden")
    assert response.status_code == 405
    assert response["Content-Type"] == "application/problem+json"
    assert set(response["Allow"].split(", ")) == {"GET", "OPTIONS"}
    assert client.get("/numbers?page=99").json()["code"] == "not_found"


@pytest.mark.urls(__name__)
def test_lists_come_in_pages_that_a_client_can_follow(client):
    first = client.get("/numbers?limit=1000")
    assert len(first.json()["results"]) == 200
    assert first.json()["count"] == 450
    assert first["Link"] == '<http://testserver/numbers?limit=1000&page=2>; rel="next"'
    seen, url = [], "/numbers?limit=200"
    while url:
        page = client.get(url).json()
        seen += page["results"]
        url = page["next"]
    assert seen == list(range(450))
    assert 'rel="prev"' in client.get("/numbers?page=2")["Link"]
    assert len(client.get("/numbers").json()["results"]) == 50


def test_a_secret_can_be_read_again_with_the_same_key_only(settings):
    token = crypto.encrypt("s\u00e9cret")
    assert "cret" not in token
    assert crypto.encrypt("s\u00e9cret") != token
    assert crypto.decrypt(token) == "s\u00e9cret"
    settings.FIELD_ENCRYPTION_KEY = "another"
    with pytest.raises(errors.ConfigurationError):
        crypto.decrypt(token)
    other = crypto.encrypt("x")
    settings.SECRET_KEY = "rotated"
    assert crypto.decrypt(other) == "x", "an own key survives a change of SECRET_KEY"
    with pytest.raises(errors.ConfigurationError):
        crypto.decrypt(other[:-8] + "AAAAAAA=")
