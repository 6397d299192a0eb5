# What stylizer uses of pyobjc 12 (MIT); pyobjc makes these names at run time.
from contextlib import AbstractContextManager

def autorelease_pool() -> AbstractContextManager[None]: ...
