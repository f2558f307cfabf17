"""The catalog's schema migrations, run by alembic."""
