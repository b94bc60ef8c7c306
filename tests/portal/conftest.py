"""A portal whose views fail."""

import pytest


@pytest.fixture
def failing(client, settings):
    settings.ROOT_URLCONF = "tests.portal.failing_urls"
    client.raise_request_exception = False
    return client
