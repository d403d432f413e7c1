"""The story that `make demo` plays: one trial goes to production through one governed, audited change."""
