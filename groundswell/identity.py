"""Keeps the names of groups from one day to the next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256


def names_of_groups(names: Sequence[str], group: Sequence[int], size: Mapping[str, int]) -> dict[int, str]:
    """The name that each group of posts continues: a name claims the group with most of its posts.

    names, group: of each post; "" for no name. size: the number of all posts of a name; posts outside `names` follow
    their name. If several names claim one group, the name with the most posts in the group and outside `names` gets the
    group; of equal names, the name with the earliest post.
    """
    here = Counter(names)
    shared = Counter((name, number) for name, number in zip(names, group, strict=True) if name)
    found: dict[int, str] = {}
    placed = set()
    # Counter and sorted keep the order of each name's first post.
    for (name, number), _ in sorted(shared.items(), key=lambda each: here[each[0][0]] - size[each[0][0]] - each[1]):
        if number not in found and name not in placed:
            found[number] = name
            placed.add(name)
    return found


def new_name(day: str, url_hash: str) -> str:
    """The id of the group that was opened on this day with this post as the first; as in macro record_id."""
    return sha256(f"{day}/{url_hash}".encode()).hexdigest()[:15]
