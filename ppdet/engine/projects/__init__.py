"""From a folder of annotations to a project that can be trained."""
