"""Programs that do the same work with other libraries, each run by itself where its library is installed."""
