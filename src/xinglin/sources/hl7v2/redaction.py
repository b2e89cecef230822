"""Remove a person from HL7 v2 files: whole messages; batch headers and trailers stay, with the counts in them."""

from __future__ import annotations

from itertools import pairwise

from xinglin.sources.formats import records
from xinglin.sources.hl7v2.message.envelope import beginnings, envelopes, is_xml, stretches
from xinglin.sources.part import Part
from xinglin.sources.removal import Account, Content, Cut, Judge, Out, Uncuttable, about_another, unbroken

__all__ = ["redact"]

_BOM = b"\xef\xbb\xbf"


def redact(content: Content, head: bytes, judge: Judge, out: Out) -> Cut:
    """A file of messages without the person's.

    Args:
        content: The file.
        head: Its beginning.
        judge: What decides.
        out: Where the rest is written.

    Raises:
        Uncuttable: It is XML, or text outside the messages is about the person.
    """
    if is_xml(head):
        raise Uncuttable
    account = Account()
    first = True
    for stretch in unbroken(stretches(content.blocks(), content.reading.limits)):
        data = stretch.data
        if first and data.startswith(_BOM):
            out.write(_BOM)
            data = data[len(_BOM) :]
        first = False
        starts = [start - (start > 0 and data[start - 1] == 0x0B) for start in beginnings(data)]
        before = data[: starts[0]] if starts else data
        if judge.told(before):
            raise Uncuttable
        out.write(before)
        for start, end in pairwise([*starts, len(data)]):
            _message(content, judge, data[start:end], out, account)
    return account.cut


def _message(content: Content, judge: Judge, message: bytes, out: Out, account: Account) -> None:
    part = Part(0, "lines", data=message.lstrip(b"\x0b"), format="hl7v2", name=content.name)
    found = list(records(part, content.reading))
    owned = [judge.owns(one) for one in found]
    if not any(owned):
        account.remains |= bool(found)
        out.write(message)
        return
    account.removed += 1
    account.lost += sum(about_another(one) for one, mine in zip(found, owned, strict=True) if not mine)
    out.write(envelopes(message))
