"""Lambda functions run inside AWS's own runtime client, against a Runtime API on 127.0.0.1."""
