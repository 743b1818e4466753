"""Lambda functions whose cold start is measured. Each is loaded as a module of its own, from this folder."""
