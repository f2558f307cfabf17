"""Run by alembic: apply the revisions on the connection the catalog hands over."""

from alembic import context

from assistant.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a table in place
)
with context.begin_transaction():
    context.run_migrations()
