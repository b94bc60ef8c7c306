"""Groups, their members, and who may see and manage them."""

import pytest

from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from people import access, selectors, services
from people.models import Role
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return make_user("admin")


@pytest.fixture
def group(admin):
    return services.create_group(actor=admin, name="Land cover, Alps")


def test_a_group_is_seen_by_members_and_managed_by_administrators(admin, group):
    member, stranger, operator = make_user("m"), make_user("s"), make_user("o", is_staff=True)
    services.add_member(actor=admin, group=group, user=member)
    assert group.slug == "land-cover-alps"
    assert list(selectors.groups_of(member)) == [group]
    assert list(selectors.groups_of(stranger)) == []
    for user in (admin, operator):
        assert access.group_for(user, group.slug, "manage") == group
    assert access.group_for(member, group.slug, "view") == group
    with pytest.raises(Forbidden):
        access.group_for(member, group.slug, "manage")
    for slug, user in ((group.slug, stranger), ("no-such-group", operator)):
        with pytest.raises(NotFound):
            access.group_for(user, slug, "view")


def test_the_last_administrator_stays(admin, group):
    member = make_user()
    services.add_member(actor=admin, group=group, user=member)
    for attempt in (
        lambda: services.remove_member(actor=admin, group=group, user=admin),
        lambda: services.change_role(actor=admin, group=group, user=admin, role=Role.MEMBER),
    ):
        with pytest.raises(Conflict):
            attempt()
    services.change_role(actor=admin, group=group, user=member, role=Role.ADMIN)
    services.remove_member(actor=admin, group=group, user=admin)
    roles = {m.user: m.role for m in selectors.members_of(group)}
    assert roles == {member: Role.ADMIN}


def test_members_come_once_and_with_a_known_role(admin, group):
    user = make_user()
    with pytest.raises(InvalidInput):
        services.add_member(actor=admin, group=group, user=user, role="king")
    with pytest.raises(NotFound):
        services.change_role(actor=admin, group=group, user=user, role=Role.ADMIN)
    services.add_member(actor=admin, group=group, user=user)
    with pytest.raises(Conflict):
        services.add_member(actor=admin, group=group, user=user, role=Role.ADMIN)
    assert access.membership(user, group).role == Role.MEMBER
    services.remove_member(actor=admin, group=group, user=user)
    with pytest.raises(NotFound):
        services.remove_member(actor=admin, group=group, user=user)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": " "}, InvalidInput),
        ({"name": "x" * 201}, InvalidInput),
        ({"name": "…"}, InvalidInput),
        ({"name": "Alps \u202e txt.exe"}, InvalidInput),
        ({"name": "Alps", "slug": "a/b"}, InvalidInput),
        ({"name": "Alps", "slug": "x" * 51}, InvalidInput),
        ({"name": "Land cover (Alps)"}, Conflict),
    ],
)
def test_groups_have_a_name_and_their_own_slug(admin, group, fields, error):
    with pytest.raises(error):
        services.create_group(actor=admin, **fields)
    assert list(selectors.groups_of(admin)) == [group]


def test_users_are_found_by_exact_name_only():
    user, twin = make_user("grace"), make_user("ghost")
    assert selectors.find_user("grace") == user
    assert selectors.find_user("Grace@Example.org") == user
    type(twin).objects.filter(pk=twin.pk).update(is_active=False)
    for name in ("grac", "", "ghost", "ghost@example.org", "grace\x00"):
        with pytest.raises(NotFound):
            selectors.find_user(name)
