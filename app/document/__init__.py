"""The document: canvas, prompt, layers, the commands that change them, and their files.

Independent of Qt, the engine and torch.
"""

from app.document.contents import Contents, Settings, new_contents
from app.document.document import Document, DocumentEvents
from app.document.errors import DocumentError, LimitError, UserError
from app.document.geometry import Box, Rect, Size
from app.document.layer import Candidate, Layer
