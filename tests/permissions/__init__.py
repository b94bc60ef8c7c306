"""The table of permissions: every address, and the status that each kind of caller gets."""

from tests.permissions.api import API
from tests.permissions.doors import ACCOUNTS, DOORS
from tests.permissions.pages import PAGES

TABLE = (*PAGES, *API, *DOORS, *ACCOUNTS)
