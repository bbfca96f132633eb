"""Model files that mner carries; NOTICE.md says where each is from and under which licence."""
