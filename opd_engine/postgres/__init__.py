"""Django's PostgreSQL backend, with the embedded server behind it when ``DATABASE_URL`` is not set."""
