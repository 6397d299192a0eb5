# What stylizer uses of pyobjc 12 (MIT); pyobjc makes these names at run time.
from typing import Any

class NSObject:
    @classmethod
    def alloc(cls) -> Any: ...
