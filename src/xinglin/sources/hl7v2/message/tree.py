"""Segments brought under the segment they belong to: results under their order, notes under their result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xinglin.sources.hl7v2.message.parse import Segment

__all__ = ["Context", "Node", "Refer", "grow"]

Context = dict[str, Any]
"""What a rule can see: the segments above, its own and the first of each below by name; facts as ``@name``; the node
itself as ``#``."""


Refer = Mapping[str, Callable[[Context], None]]
"""What puts a reference into a context once the segment that it depends on is there."""


class Node:
    """One segment and what stands below it.

    Args:
        name: Name of the segment.
        segment: Its fields.
    """

    __slots__ = ("below", "context", "made", "name", "part", "segment")

    def __init__(self, name: str, segment: Segment) -> None:
        self.name = name
        self.segment = segment
        self.below: list[Node] = []
        self.made: list[str] = []
        self.part = False
        self.context: Context = {}

    def see(self, context: Context, refer: Refer) -> None:
        """Give this node and all below it their context.

        Args:
            context: What is above.
            refer: References that can be told from here on, by the name of the segment.
        """
        own = context.copy()
        own[self.name] = self.segment
        if self.below:
            for node in reversed(self.below):
                if node.name != self.name:
                    own[node.name] = node.segment
        own["#"] = self
        self.context = own
        if self.name in refer:
            refer[self.name](own)
        for node in self.below:
            if node.below:
                node.see(own, refer)
                continue
            node.context = last = own.copy()  # most segments have nothing below: they need no call of their own
            last[node.name] = node.segment
            last["#"] = node
            if node.name in refer:
                refer[node.name](last)

    def forget(self) -> None:
        """Let go of the contexts, which know their nodes: memory is free at once, without a search for cycles."""
        self.context = {}
        for node in self.below:
            if node.below:
                node.forget()
            else:
                node.context = {}

    def nodes(self, name: str) -> list[Node]:
        """The nodes of that name right below."""
        return [node for node in self.below if node.name == name]


def grow(segments: list[Segment], parents: Mapping[str, frozenset[str]], panels: frozenset[str]) -> Node:
    """The tree of a message; its root is MSH.

    Args:
        segments: In the order of the message.
        parents: Under which segments one belongs: the last of these before it. Others belong to MSH.
        panels: Codes (OBX-3.1) of results whose parts follow as OBX with the same OBX-4.

    Example:
        >>> root = grow([["MSH"], ["PID"], ["OBR"], ["OBX", "1"], ["OBX", "2"]],
        ...             {"OBR": frozenset(["PID"]), "OBX": frozenset(["OBR"])}, frozenset())
        >>> [len(node.below) for node in (root, root.below[0], root.below[0].below[0])]
        [1, 1, 2]
    """
    root = Node("MSH", segments[0])
    line = [root]
    for segment in segments[1:]:
        name = segment[0]
        above = parents.get(name)
        if above is None:
            node = Node(name, segment)
            root.below.append(node)
            line = [root, node]
            continue
        while len(line) > 1 and line[-1].name not in above:
            line.pop()
        holder = line[-1]
        if panels and name == "OBX":
            holder = _panel(holder, segment, panels)
        node = Node(name, segment)
        node.part = holder.name == "OBX" and name == "OBX"
        holder.below.append(node)
        line.append(node)
    return root


def _panel(holder: Node, segment: Segment, panels: frozenset[str]) -> Node:
    """The result that this one is a part of, else where it belonged anyway."""
    if len(segment) < 5 or not segment[4] or not holder.below:
        return holder
    for last in reversed(holder.below):
        if last.name == "OBX":
            found = last.segment
            code = found[3].split("^", 1)[0] if len(found) > 4 else ""
            return last if code in panels and found[4] == segment[4] else holder
    return holder
