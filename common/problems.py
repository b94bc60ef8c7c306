"""PortalError as application/problem+json (RFC 9457)."""

from rest_framework.views import exception_handler as drf_handler


def exception_handler(error, context):
    return drf_handler(error, context)
