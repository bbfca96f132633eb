"""What analyses are made of: runs that are loaded, F1 with its signature, the report, and records of results."""
