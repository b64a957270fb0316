"""Controllers: what actions do, and what the window shows of document, jobs and files."""
