"""The WSGI entry point for gunicorn."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.production")
application = get_wsgi_application()
# Else the first request loads all views. What is there by now stays: the collector of garbage
# need not go through it again and again, which would be a tenth of the work of a request.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
