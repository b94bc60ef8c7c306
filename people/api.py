"""One's API keys, groups and their members, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import Forbidden, NotFound
from people import services
from people.access import group_for, is_operator
from people.authentication import signed_in
from people.models import ApiKey, Group, Membership, User
from people.selectors import find_user, groups_of, keys_of, members_of
from people.serializers import (
    ApiKeyRequest,
    ApiKeySerializer,
    GroupRequest,
    GroupSerializer,
    MemberRequest,
    MemberSerializer,
    NewApiKeySerializer,
    NewMemberRequest,
)
from people.tokens import Caller


class ApiKeys(ListAPIView[ApiKey]):
    """Your API keys that are not revoked."""

    serializer_class = ApiKeySerializer

    def get_queryset(self) -> QuerySet[ApiKey]:
        return keys_of(signed_in(self.request))

    @extend_schema(request=ApiKeyRequest, responses={201: NewApiKeySerializer})
    def post(self, request: Request) -> Response:
        """Make a key. A key cannot make one that may do more, or lasts longer, than itself."""
        body = ApiKeyRequest(data=request.data)
        body.is_valid(raise_exception=True)
        if isinstance(request.auth, Caller):
            _must_not_exceed(request.auth, **body.validated_data)
        key, text = services.create_api_key(user=signed_in(request), **body.validated_data)
        return Response({**ApiKeySerializer(key).data, "key": text}, status=201)


def _must_not_exceed(
    caller: Caller, *, scopes: list[str], expires_at: datetime | None, **_: Any
) -> None:
    """A key that leaked must not live on in those that it made."""
    if not set(scopes) <= caller.scopes:
        raise Forbidden("A key can only make keys with its own scopes.")
    end = caller.key.expires_at if caller.key else None
    if end is not None and (expires_at is None or expires_at > end):
        raise Forbidden("A key can only make keys that expire when it does, or before.")


class ApiKeyDetail(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, key_id: int) -> Response:
        """Revoke one of your keys."""
        services.revoke_api_key(user=signed_in(request), key_id=key_id)
        return Response(status=204)


class Groups(ListAPIView[Group]):
    """Your groups; all of them for operators."""

    serializer_class = GroupSerializer

    def get_queryset(self) -> QuerySet[Group]:
        user = signed_in(self.request)
        return Group.objects.all() if is_operator(user) else groups_of(user)

    @extend_schema(request=GroupRequest, responses={201: GroupSerializer})
    def post(self, request: Request) -> Response:
        """Make a group; you become its administrator."""
        body = GroupRequest(data=request.data)
        body.is_valid(raise_exception=True)
        group = services.create_group(actor=signed_in(request), **body.validated_data)
        return Response(GroupSerializer(group).data, status=201)


class GroupDetail(APIView):
    @extend_schema(responses=GroupSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """One of your groups."""
        return Response(GroupSerializer(group_for(signed_in(request), slug, "view")).data)


class Members(ListAPIView[Membership]):
    """The members of a group."""

    serializer_class = MemberSerializer

    def get_queryset(self) -> QuerySet[Membership]:
        return members_of(group_for(signed_in(self.request), self.kwargs["slug"], "view"))

    @extend_schema(request=NewMemberRequest, responses={201: MemberSerializer})
    def post(self, request: Request, *args: Any, slug: str) -> Response:
        """Take a user into the group; for its administrators."""
        actor = signed_in(request)
        group = group_for(actor, slug, "manage")
        body = NewMemberRequest(data=request.data)
        body.is_valid(raise_exception=True)
        user, role = find_user(body.validated_data["member"]), body.validated_data["role"]
        added = services.add_member(actor=actor, group=group, user=user, role=role)
        return Response(MemberSerializer(added).data, status=201)


class Member(APIView):
    @extend_schema(request=MemberRequest, responses=MemberSerializer)
    def patch(self, request: Request, slug: str, username: str) -> Response:
        """Give a member another role; for administrators."""
        actor = signed_in(request)
        group = group_for(actor, slug, "manage")
        body = MemberRequest(data=request.data)
        body.is_valid(raise_exception=True)
        changed = services.change_role(
            actor=actor, group=group, user=_member(group, username), **body.validated_data
        )
        return Response(MemberSerializer(changed).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, username: str) -> Response:
        """End a membership: administrators anybody's, members their own."""
        actor = signed_in(request)
        group = group_for(actor, slug, "view" if username == actor.username else "manage")
        services.remove_member(actor=actor, group=group, user=_member(group, username))
        return Response(status=204)


def _member(group: Group, username: str) -> User:
    found = members_of(group).filter(user__username=username).first()
    if found is None:
        raise NotFound("This user is not a member.")
    return found.user
