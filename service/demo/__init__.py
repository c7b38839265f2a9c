"""The main job, shown end to end: a shop's day on servers of its own, with the checks that prove it."""
