"""Memory of a month at once: fields of tens of megabytes, taken and given back at every layer."""

import os

SWITCH = "THP_MEM_ALLOC_ENABLE"
"""What torch reads when it first allocates on the CPU."""


def use_huge_pages() -> None:
    """Let torch ask Linux for huge pages, before its first tensor; without effect elsewhere and later.

    A layer's answer on a global field is 30 to 130 MB. In pages of 4 KB a month takes 600,000 page faults, a sixth of
    its processor time; in pages of 2 MB, 10,000. A value that the user has set stays.
    """
    os.environ.setdefault(SWITCH, "1")
