"""Memory of a network at work: fields of tens of megabytes, taken and given back at every layer."""

import os

SWITCH = "THP_MEM_ALLOC_ENABLE"
"""What torch reads when it first allocates on the CPU."""


def use_huge_pages() -> None:
    """Let torch ask Linux for huge pages, before its first tensor; without effect elsewhere and later.

    A layer's answer is 8 MB on a batch of patches and up to 130 MB on a global field. In pages of 4 KB a global month
    takes 600,000 page faults, a sixth of its processor time, and in pages of 2 MB 10,000; a step of the paper's
    training 30,000, and at most 2,000. A value that the user has set stays.
    """
    os.environ.setdefault(SWITCH, "1")
