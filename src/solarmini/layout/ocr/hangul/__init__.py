"""Line recogniser for Korean and Latin print: weights of our own, run by onnxruntime."""

from solarmini.layout.ocr.hangul.recogniser import LineRecogniser

__all__ = ["LineRecogniser"]
