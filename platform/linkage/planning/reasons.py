def reason_text(*a): return ""
def fix_text(*a): return ""
