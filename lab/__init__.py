"""What this project says of itself: its goals, records and pages. Run it from the root of the repository."""
