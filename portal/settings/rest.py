"""Settings of the REST API and of its OpenAPI description."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "people.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["people.authentication.ScopePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "common.pages.ListPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "common.problems.exception_handler",
    "PAGE_SIZE": 50,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TEP Portal",
    "DESCRIPTION": "Services, quotes, jobs, accounts, usage records, providers, applications.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/",
    "ENUM_NAME_OVERRIDES": {
        "JobState": "jobs.states.State",
        "ProviderState": "providers.models.ProviderState",
        "BillState": "accounting.models.BillState",
        "TopUpState": "accounting.models.TopUpState",
        "AdjustmentState": "accounting.models.AdjustmentState",
        "DisputeState": "accounting.models.DisputeState",
        "Resolution": "accounting.requests.disputes.RESOLUTIONS",
        "UsageRecordState": "accounting.models.RecordState",
        "UsageMessageState": "accounting.models.MessageState",
        "AccountKind": "accounting.models.AccountKind",
        "UsageNameKind": "accounting.models.source.NAME_KINDS",
        "CatalogueVisibility": "catalogue_client.models.Visibility",
        "ApplicationVisibility": "thematic_apps.models.Visibility",
        "CatalogueSourceKind": "catalogue_client.models.SourceKind",
    },
}
