"""PDF pages → lines of words, rules, drawings, pictures and a renderer, through PDFium."""

from solarmini.layout.pdf.file import PdfFile

__all__ = ["PdfFile"]
