"""Every built-in framework that is there keeps the contract."""

from __future__ import annotations

from mldata.frameworks import FRAMEWORKS
from mldata.testing import FrameworkContract


class TestPyTorch(FrameworkContract):
    info = FRAMEWORKS["pytorch"]


class TestLightning(FrameworkContract):
    info = FRAMEWORKS["lightning"]


class TestSklearn(FrameworkContract):
    info = FRAMEWORKS["sklearn"]


class TestJax(FrameworkContract):
    info = FRAMEWORKS["jax"]


class TestTensorFlow(FrameworkContract):
    info = FRAMEWORKS["tensorflow"]


class TestHuggingFace(FrameworkContract):
    info = FRAMEWORKS["huggingface"]
