"""What others may see of a person: 周*明, 138****6210, 尾号 002X. Enough to recognise, too little to misuse."""


def name(full: str) -> str:
    """周志明 → 周*明, 李四 → 李*, Anna Berg → A*** B***; of a long one two stars: 欧阳一二三 → 欧**三."""
    if " " in full:
        return " ".join(name_part[:1] + "***" for name_part in full.split())
    if len(full) <= 1:
        return "*" if full else ""
    if len(full) == 2:
        return full[0] + "*"
    return full[0] + "*" * min(len(full) - 2, 2) + full[-1]


def phone(number: str) -> str:
    """138****6210; of a short or foreign number the last four only."""
    if not number:
        return ""
    if len(number) == 11 and number.isdigit() and not number.startswith("0"):
        return f"{number[:3]}****{number[-4:]}"
    return "****" + number[-4:] if len(number) > 6 else "****"


def document(last4: str) -> str:
    """Only the last four are ever shown."""
    return f"**** {last4}" if last4 else ""
