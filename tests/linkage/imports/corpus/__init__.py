"""Files that a street office may be sent, made here and nowhere kept: hostile ones and messy ones."""
