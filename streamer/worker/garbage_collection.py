"""Lets Python's garbage collector run less often.

A lane makes many objects for each event. Nearly all of them go when their last reference goes. Python's
collector only looks for objects that refer to each other in a circle, and a lane makes hardly any. At its
defaults the collector looks through all objects of the program again and again, which costs a lane time.
"""

import gc

# So many new objects before a collection of the youngest: a few megabytes at most.
_NEW_OBJECTS = 50_000


def collect_less() -> None:
    """Leave all present objects out of future collections, and collect the others less often.

    Call it once, when everything is imported and built.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
