"""Constructed posts and drawn pictures to try every command on; see NOTICE.md beside this file."""
