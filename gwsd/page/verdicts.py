"""The claims as the page shows them: verdicts, their tones and counts."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

VERDICTS = {
    "reproduced": ("reproduced", "good"),
    "not_reproduced": ("not reproduced", "bad"),
    "contradicts": ("contradicts another claim", "bad"),
    "cannot_hold": ("cannot hold", "bad"),
    "not_checkable": ("not checkable here", "odd"),
    "reported_by_others": ("reported by others", "calm"),
}
"""Name of each verdict, and how it is coloured; the words say the same as the colours."""


def shown_claims(claims: Sequence[Mapping[str, Any]], numbers: Collection[str]) -> list[dict[str, Any]]:
    """Prepare the claims for the page.

    Parameters
    ----------
    claims : sequence of mapping
        As claims.json holds them.
    numbers : collection of str
        Ids of published values.
    """
    anchors = {**{name: name for name in numbers}, **{claim["id"]: f"claim-{claim['id']}" for claim in claims}}
    return [
        {
            "id": claim["id"],
            "place": claim["place"],
            "kind": claim["kind"],
            "text": claim["claim"],
            "stated": claim["printed"],
            "found": claim["found"],
            "reason": claim["reason"],
            "compared_with": [
                {"text": one, "link": anchors.get(one, "")} for one in filter(None, claim["compared_with"].split("; "))
            ],
            "data": claim["data"],
            "slug": claim["slug"],
            "verdict": claim["verdict"],
            "tone": VERDICTS[claim["slug"]][1],
            "numbers": claim["numbers"],
        }
        for claim in claims
    ]


def counted(claims: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Count the claims by verdict, in the order of `VERDICTS`; verdicts that none has are left out."""
    counts = Counter(claim["slug"] for claim in claims)
    return [
        {"slug": slug, "name": name, "count": counts[slug], "tone": tone}
        for slug, (name, tone) in VERDICTS.items()
        if counts[slug]
    ]
