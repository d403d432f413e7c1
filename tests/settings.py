"""
The project's settings, in an environment that the tests make: an embedded instance of this process alone.

`DATABASE_URL`, when set, names a server to use instead, as a role that may make databases and roles.
"""

from tests.support import instance

instance.prepare_environment()

from config.settings import *  # noqa: E402, F403

# The collected, hashed files exist only where somebody served.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Without those files whitenoise warns when it starts, and warnings are errors; so it looks for files when asked.
WHITENOISE_AUTOREFRESH = True
