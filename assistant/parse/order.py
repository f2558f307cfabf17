"""Reading order: columns one after the other, whatever spans them before and after.

The method is that of T. Breuel, "High performance document layout analysis" (2003), section 3.4: what stands
above comes first where the two share a stretch of the page's width; what stands to the left comes
first unless something between the two spans both. It is applied to stacks of lines, not lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.parse.sheet import Piece, Rect, hull

_SHARED = 0.15  # of the narrower one's width: less in common is a line that juts out
_NEAR = 1.6  # of the size: how far apart lines of one stack may be
_REACH = 90.0  # points: no two lines of a stack are further apart
_MOST = 400  # stacks; a page of more is scattered labels, which keep the order they were drawn in

Flags = "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"


@dataclass(slots=True)
class Stack:
    """Lines one under the other, or a table, or a figure that holds its place."""

    pieces: list[Piece]
    rect: Rect
    reach: Rect | None = None  # as wide as the column, where a short last line leaves space
    whole: bool = False  # a table: never taken apart


def stack_up(pieces: Sequence[Piece], obstacles: Sequence[Rect]) -> list[Stack]:
    """Put each line under the one that it alone stands under; what forks begins a new stack.

    Args:
        pieces: The lines of one page.
        obstacles: Tables and figures: no stack reaches over them.
    """
    if not pieces:
        return []
    ordered = sorted(pieces, key=lambda piece: (-piece.base, piece.x0))
    below = _below(ordered, obstacles)
    above: list[list[int]] = [[] for _ in ordered]
    for upper, lowers in enumerate(below):
        for lower in lowers:
            above[lower].append(upper)
    stacks: list[list[Piece]] = []
    stack_of: dict[int, list[Piece]] = {}
    for index, piece in enumerate(ordered):
        uppers = above[index]
        if len(uppers) == 1 and len(below[uppers[0]]) == 1:
            stack = stack_of[uppers[0]]
            stack.append(piece)
        else:
            stack = [piece]
            stacks.append(stack)
        stack_of[index] = stack
    return [Stack(stack, hull(stack)) for stack in stacks]


def _below(ordered: Sequence[Piece], obstacles: Sequence[Rect]) -> list[list[int]]:
    """For each line, from the top, the lines that stand directly under it."""
    found: list[list[int]] = []
    for index, upper in enumerate(ordered):
        near: list[int] = []
        for offset in range(index + 1, len(ordered)):
            lower = ordered[offset]
            if upper.base - lower.base > _REACH:
                break
            size = max(upper.size, lower.size)
            if (
                upper.base - lower.base > 0.5 * size
                and upper.y0 - lower.y1 < _NEAR * size
                and _share(upper.x0, upper.x1, lower.x0, lower.x1)
                and not any(_hides(ordered[other], lower) for other in near)
                and not any(_parts(upper, lower, rect) for rect in obstacles)
            ):
                near.append(offset)
        found.append(near)
    return found


def _hides(nearer: Piece, lower: Piece) -> bool:
    """Whether a line stands between the one above both and another."""
    below = nearer.base - lower.base > 0.5 * max(nearer.size, lower.size)
    return below and _share(nearer.x0, nearer.x1, lower.x0, lower.x1)


def _share(a0: float, a1: float, b0: float, b1: float) -> bool:
    return min(a1, b1) - max(a0, b0) > _SHARED * min(a1 - a0, b1 - b0)


def _parts(upper: Piece, lower: Piece, rect: Rect) -> bool:
    """Whether a figure or table stands between two lines."""
    return lower.y1 - 1 < (rect.y0 + rect.y1) / 2 < upper.y0 + 1 and _share(
        rect.x0, rect.x1, min(upper.x0, lower.x0), max(upper.x1, lower.x1)
    )


def read_in_order(stacks: Sequence[Stack]) -> list[Stack]:
    """Sort stacks into reading order."""
    count = len(stacks)
    if count < 2 or count > _MOST:
        return list(stacks)
    first = _before(stacks)
    waiting = first.sum(axis=0).astype(int)
    left = set(range(count))
    order: list[Stack] = []
    rank = [(-stack.rect.y1, stack.rect.x0) for stack in stacks]
    while left:
        free = [index for index in left if not waiting[index]]
        # Without a free one there is a circle: break it at the one that waits for fewest.
        best = (
            min(free, key=rank.__getitem__)
            if free
            else min(left, key=lambda i: (waiting[i], rank[i]))
        )
        left.remove(best)
        order.append(stacks[best])
        waiting = waiting - first[best]
        waiting = np.maximum(waiting, 0)
    return order


def _before(stacks: Sequence[Stack]) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
    """Which stack (row) comes before which (column)."""
    x0, y0, x1, y1 = (
        np.array(edge) for edge in zip(*(stack.rect for stack in stacks), strict=True)
    )
    middle = (y0 + y1) / 2
    width = np.maximum(x1 - x0, 0.1)
    common = np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0)
    share = common > _SHARED * np.minimum(width[:, None], width)
    above = middle[:, None] > middle
    before = share & above
    left = ~share & ((x0 + x1)[:, None] < (x0 + x1))
    # between[a, b]: some c, in height between the two, shares width with both.
    spans = (share & above).astype(np.float32)
    down = spans @ spans > 0
    between = down | down.T
    before |= left & ~between
    np.fill_diagonal(before, val=False)
    return np.asarray(before)
