"""The operator's view of the catalogue."""

from __future__ import annotations

import pytest
from django.forms.models import model_to_dict
from django.test import Client

from catalogue_client.services import publish, put_collection, put_item
from tests.catalogue_client.world import record, scene
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_an_operator_looks_at_everything_and_changes_who_may_see_a_collection() -> None:
    operator = make_user(is_staff=True, is_superuser=True)
    own = publish(record=record(operator))
    collection = put_collection(document={"id": "scenes", "title": "Scenes"})
    item = put_item(collection=collection, document=scene("s1"))
    client, everybody = Client(), Client()
    client.force_login(operator)
    admin = "/admin/catalogue_client"
    for page in (f"{admin}/item/", f"{admin}/item/{own.pk}/change/", f"{admin}/collection/"):
        assert client.get(page).status_code == 200
    for page in (
        f"{admin}/item/add/",
        f"{admin}/item/{own.pk}/delete/",
        f"{admin}/collection/add/",
    ):
        assert client.get(page).status_code == 403

    address = f"/stac/collections/scenes/items/{item.identifier}"
    before = everybody.get(address)
    form = {
        key: value
        for key, value in model_to_dict(collection).items()
        if value is not None and key not in ("keywords", "providers", "links", "summaries")
    }
    form |= {"keywords": "[]", "providers": "[]", "links": "[]", "summaries": "{}"}
    changed = client.post(
        f"{admin}/collection/{collection.pk}/change/", {**form, "title": "Scenes of Naples"}
    )
    assert changed.status_code == 302, changed.content
    after = everybody.get(address, headers={"If-None-Match": before["ETag"]})
    assert b"Scenes of Naples" in after.content

    refused = client.post(
        f"{admin}/collection/{collection.pk}/change/", {**form, "visibility": "group"}
    )
    assert refused.status_code == 200  # the form again: which group?
    client.post(
        f"{admin}/collection/{collection.pk}/change/",
        {**form, "visibility": "private", "owner": operator.pk},
    )
    assert everybody.get(address).status_code == 404
