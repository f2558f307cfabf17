"""Chunks know their lines instead of boxes, which no chunk had yet."""

import json
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_CHUNKS = sa.table("chunks", sa.column("id", sa.String), sa.column("record", sa.Text))


def upgrade() -> None:
    """Drop the field; the others have values of their own where they are missing."""
    _rewrite(lambda record: record.pop("boxes", None))


def downgrade() -> None:
    """Drop what the older version does not know."""

    def forget(record: dict[str, object]) -> None:
        for name in ("lines", "context"):
            record.pop(name, None)

    _rewrite(forget)


def _rewrite(change: Callable[[dict[str, object]], object]) -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(_CHUNKS)).all():
        record = json.loads(row.record)
        change(record)
        new = json.dumps(record, ensure_ascii=False)
        connection.execute(sa.update(_CHUNKS).where(_CHUNKS.c.id == row.id).values(record=new))
