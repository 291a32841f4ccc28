"""`ppdet`: one console command with a sub-command per module, and shell completion for it."""
