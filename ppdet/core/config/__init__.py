"""From YAML to objects: read safely, merge, override, check, build."""
