"""Where the spans of a process go, and how they are shown."""
