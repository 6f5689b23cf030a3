"""The version of mldata, where everything below the package's face can import it from."""

__version__ = "0.1.0"
