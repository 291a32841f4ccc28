"""Which prediction learns which annotated box. Assigners work on whole batches, without gradients."""
