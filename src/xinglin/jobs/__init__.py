"""Jobs of developers: a map over every person bucket of the mart and a combine over what the maps gave.

Example:
    >>> Job("count.py", "PARAMS = {'least': 2}").parameters({"least": "3"})
    {'least': 3}
"""

from xinglin.jobs.job import Job
from xinglin.jobs.run import JobReport, run_job
from xinglin.jobs.tables import Tables

__all__ = ["Job", "JobReport", "Tables", "run_job"]
