"""A real installation: everything secret comes from the environment."""

from portal.settings.base import *  # noqa: F403
from portal.settings.base import env

SECRET_KEY = env("SECRET_KEY")
