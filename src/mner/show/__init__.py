"""Numbers and predictions -> terminal, pages, reports. Nothing here computes; nothing elsewhere draws."""
