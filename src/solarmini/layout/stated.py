"""Numbers that a file states in words, which may be anything."""


def stated_number(
    text: str | None, otherwise: int = 0, *, least: int = 0, most: int = 100_000
) -> int:
    """Return the whole number a text states, within bounds; `otherwise` where it states none.

    Not every digit is a number to Python (②, ²), nor every number short enough to be read.
    """
    try:
        number = int(text or "")
    except ValueError:
        return otherwise
    return min(max(number, least), most)
