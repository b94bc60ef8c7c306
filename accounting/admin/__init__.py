"""The books in the administration: to look at, and the few things that operators may do."""

from accounting.admin import accounts, books

__all__ = ["accounts", "books"]
