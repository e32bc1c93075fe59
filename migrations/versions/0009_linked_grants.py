"""linked grants"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade():
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("linked", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Whoever stands in a register is opened by that register alone, which knows who entered them; a role says no more.
    registers = " UNION ".join(f"SELECT person_id FROM {table}" for table in ("members", "carers", "volunteers"))  # noqa: S608
    op.execute(
        "UPDATE grants SET linked = true WHERE user_id IN "
        f"(SELECT id FROM users WHERE person_id IN ({registers}))"  # noqa: S608
    )


def downgrade():
    raise RuntimeError("a database is never migrated back: restore the backup from before the upgrade")
