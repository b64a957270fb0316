"""The journal: every change on disk within a second, and the way back after a crash.

Each window owns one work folder; the user's own file is written by Save alone.
"""

from app.document.storage.journal.folder import WorkFolder, WorkInfo
from app.document.storage.journal.keeper import Keeper
from app.document.storage.journal.recovery import Recovered, Unfinished, recover, unfinished
