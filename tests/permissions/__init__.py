"""The table of permissions: every address, and the status that each kind of caller gets."""

from tests.permissions.api import API
from tests.permissions.catalogue import CATALOGUE
from tests.permissions.credit import CREDIT
from tests.permissions.doors import ACCOUNTS, DOORS
from tests.permissions.harvest import HARVEST
from tests.permissions.jobs import JOBS
from tests.permissions.ogcapi import OGCAPI
from tests.permissions.pages import PAGES
from tests.permissions.providers import PROVIDERS
from tests.permissions.requests import REQUESTS
from tests.permissions.targets import TARGETS
from tests.permissions.usage import USAGE

TABLE = (*PAGES, *JOBS, *API, *CREDIT, *USAGE, *REQUESTS, *PROVIDERS, *DOORS, *OGCAPI, *ACCOUNTS)
TABLE += (*CATALOGUE, *HARVEST, *TARGETS)
