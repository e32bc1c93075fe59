"""How long backups are kept, and when their age or that of the last drill is a fault."""

from linkage.core.rulesets import declare

declare("upkeep.backup_keep_days", 14, "platform: erased people stand in backups no longer than this")
declare("upkeep.backup_late_hours", 30, "platform: a night was missed")
declare("upkeep.drill_late_days", 31, "platform: a backup that was never restored is a hope")
declare("upkeep.disk_free_percent", 10, "platform")
declare("upkeep.holiday_notice_month", 11, "notices of the State Council appear in October or November")
