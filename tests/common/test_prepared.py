"""A query whose SQL is made once gives what the same queryset gives."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounting.models import Transfer
from common.prepared import Prepared
from people.models import ApiKey, Membership, User
from people.services import create_api_key
from providers.models import Service
from tests.factories import World, make_user

pytestmark = pytest.mark.django_db


def test_it_gives_what_the_queryset_gives() -> None:
    keys = [create_api_key(user=make_user(), name="k", scopes=["read", "run"])[0] for _ in "ab"]
    prepared = Prepared(
        lambda prefix: ApiKey.objects.select_related("user").filter(prefix=prefix), str
    )
    for key in (*keys, *keys):
        with CaptureQueriesContext(connection) as queries:
            found = prepared.one(key.prefix)
            assert found is not None
            assert found.user.username
        assert len(queries) == 1
        usual = ApiKey.objects.select_related("user").get(pk=key.pk)
        assert {f.attname: getattr(found, f.attname) for f in ApiKey._meta.fields} == {
            f.attname: getattr(usual, f.attname) for f in ApiKey._meta.fields
        }
        assert {f.attname: getattr(found.user, f.attname) for f in User._meta.fields} == {
            f.attname: getattr(usual.user, f.attname) for f in User._meta.fields
        }
        found.name = "changed"
        found.save()
    assert prepared.one("no-such") is None


def test_several_values_of_several_types() -> None:
    world = World()
    prepared = Prepared(
        lambda slug, number: Service.objects.select_related("provider", "current").filter(
            provider__slug=slug, pk=number
        ),
        *(str, int),
    )
    found = prepared.one(world.provider.slug, world.service.pk)
    assert found == world.service
    assert found.provider == world.provider
    assert found.current is not None
    assert found.current.description == world.description
    assert prepared.one("other", world.service.pk) is None
    assert prepared.one(world.provider.slug, 2**70) is None
    assert prepared.all(world.provider.slug, -(2**70)) == []


def test_identifiers() -> None:
    World()
    transfer = Transfer.objects.all()[0]
    prepared = Prepared(lambda name: Transfer.objects.filter(pk=name), UUID)
    assert prepared.one(transfer.pk) == transfer
    assert prepared.one(uuid4()) is None


def test_a_value_that_changes_the_form_is_refused() -> None:
    prepared = Prepared(lambda text: Membership.objects.filter(role__contains=text), str)
    with pytest.raises(TypeError):
        prepared.one("x")
