"""${message}"""

import sqlalchemy as sa
from alembic import op
from linkage.core.extensions import UtcDateTime

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    raise RuntimeError("a database is never migrated back: restore the backup from before the upgrade")
