"""Who uses it: the composition root with settings, HTTP API, workers and command line."""
