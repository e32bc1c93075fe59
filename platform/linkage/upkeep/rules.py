"""How long backups are kept, and when their age or that of the last drill is a fault."""

from flask_babel import lazy_gettext as _l

from linkage.core.rulesets import declare

declare("upkeep.backup_keep_days", 14, _l("platform: erased people stand in backups no longer than this"))
declare("upkeep.backup_late_hours", 30, _l("platform: a night was missed"))
declare("upkeep.drill_late_days", 31, _l("platform: a backup that was never restored is a hope"))
declare("upkeep.disk_free_percent", 10, _l("platform"))
