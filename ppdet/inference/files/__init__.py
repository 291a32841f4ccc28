"""Files that inference reads and writes."""
