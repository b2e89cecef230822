"""Who is the same person: features, the linkage model, persons with ids that stay, the review queue, decisions."""

from xinglin.identity.decisions import decide, decisions
from xinglin.identity.link import link
from xinglin.identity.plan import LinkReport
from xinglin.identity.review import person_links, waiting_pairs

__all__ = ["LinkReport", "decide", "decisions", "link", "person_links", "waiting_pairs"]
