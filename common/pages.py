"""Paging shared by every API."""

from rest_framework.pagination import PageNumberPagination


class ListPagination(PageNumberPagination):
    """Pages of `limit` entries."""

    page_size_query_param = "limit"
    max_page_size = 200
