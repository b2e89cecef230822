"""Word count over notes: the words that most notes hold, without those that are in fewer notes than `least`.

    xinglin job run examples/jobs/word_count.py --param least=10 --param longest=20

The map is Python over Arrow; the combine is SQL.
"""

import re
from collections import Counter

PARAMS = {"least": 2, "longest": 20, "letters": 3}
TABLES = ["note"]

_WORD = re.compile(r"[^\W\d_]+")


def map(tables, params):
    """How many notes of this bucket hold each word, and how often it stands in them."""
    notes, times = Counter(), Counter()
    for text in tables.arrow("note").column("note_text").to_pylist():
        words = [word.lower() for word in _WORD.findall(text or "") if len(word) >= params["letters"]]
        times.update(words)
        notes.update(set(words))
    return [{"word": word, "notes": notes[word], "times": times[word]} for word in sorted(notes)] or [
        {"word": None, "notes": 0, "times": 0}
    ]


def combine(partials, params):
    """The sums over all buckets."""
    return partials.sql(
        """
        SELECT word, sum(notes)::BIGINT AS notes, sum(times)::BIGINT AS times
        FROM partials WHERE word IS NOT NULL
        GROUP BY word HAVING sum(notes) >= $least
        ORDER BY notes DESC, times DESC, word LIMIT $longest
        """,
        least=params["least"],
        longest=params["longest"],
    )
