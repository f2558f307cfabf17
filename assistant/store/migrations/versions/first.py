"""The library's id and generation, papers, their other ids, their chunks, the chunks' vectors."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    meta = op.create_table(
        "meta",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.bulk_insert(
        meta,
        [{"key": "library", "value": uuid.uuid4().hex}, {"key": "generation", "value": "0"}],
    )
    op.create_table(
        "papers",
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(200), nullable=False, unique=True),
        sa.Column("record", sa.Text(), nullable=False),
    )
    op.create_table(
        "aliases",
        sa.Column("alias", sa.String(200), primary_key=True),
        _key_of("paper_id", "papers.id", 200, primary_key=True),
    )
    op.create_table(
        "chunks",
        sa.Column("id", sa.String(255), primary_key=True),
        _key_of("paper_id", "papers.id", 200),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
    )
    op.create_index("chunks_by_paper", "chunks", ["paper_id", "position"])
    op.create_table(
        "vectors",
        _key_of("chunk_id", "chunks.id", 255, primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("vectors", "chunks", "aliases", "papers", "meta"):
        op.drop_table(table)


def _key_of(name: str, target: str, length: int, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(
        name,
        sa.String(length),
        sa.ForeignKey(target, ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )
