"""Who is the same person: features, the linkage model, persons with ids that stay, the review queue, decisions."""

from xinglin.identity.decisions import decide, decisions
from xinglin.identity.erasure import forget_person
from xinglin.identity.link import link
from xinglin.identity.names import called_now, every_name
from xinglin.identity.plan import LinkReport
from xinglin.identity.record import LinkedRecord, person_of, records_of
from xinglin.identity.review import identifier_systems, person_links, waiting_pairs
from xinglin.identity.why import Explanation, explain

__all__ = [
    "Explanation",
    "LinkReport",
    "LinkedRecord",
    "called_now",
    "decide",
    "decisions",
    "every_name",
    "explain",
    "forget_person",
    "identifier_systems",
    "link",
    "person_links",
    "person_of",
    "records_of",
    "waiting_pairs",
]
