# What stylizer uses of pyobjc 12 (MIT); pyobjc makes these names at run time.
from typing import Any

SCStreamOutputTypeScreen: int
SCContentFilter: Any
SCShareableContent: Any
SCStream: Any
SCStreamConfiguration: Any
