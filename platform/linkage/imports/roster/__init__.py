"""The roster (名册): households with their members and needs, one row per person or need."""
