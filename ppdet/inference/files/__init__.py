"""Files, folders and URLs that inference reads and writes."""
