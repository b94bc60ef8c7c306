"""API keys and groups as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from people.models import ApiKey, Group, Membership, Role, Scope


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            "id",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "last_used_at",
        )


class NewApiKeySerializer(ApiKeySerializer):
    """`key` is the whole text of the key; it is shown only here."""

    key = serializers.CharField()

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")


class ApiKeyRequest(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), allow_empty=False
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class GroupSerializer(serializers.ModelSerializer[Group]):
    class Meta:
        model = Group
        fields = ("slug", "name", "description", "created_at")


class GroupRequest(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=50, required=False, default="")
    description = serializers.CharField(required=False, default="", max_length=5000)


class MemberSerializer(serializers.ModelSerializer[Membership]):
    username = serializers.CharField(source="user.username")
    name = serializers.CharField(source="user.display_name")

    class Meta:
        model = Membership
        fields = ("username", "name", "role", "joined_at")


class MemberRequest(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)


class NewMemberRequest(MemberRequest):
    member = serializers.CharField(max_length=254, help_text="user name or e-mail address")
