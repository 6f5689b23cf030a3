"""Where raw files come from: one file a scheme, all behind the protocol in ``base``."""
