# What stylizer uses of pyobjc 12 (MIT); pyobjc makes these names at run time.
from typing import Any

DISPATCH_QUEUE_SERIAL: Any

def dispatch_queue_create(label: bytes, attributes: Any) -> Any: ...
