"""Delivery: the objects of one dataset's version, to whoever may see it."""

from hsc_catalog.delivery.delivering import Delivery
from hsc_catalog.delivery.ranges import ByteRange, read_range
from hsc_catalog.delivery.versions import DeliveredObject, DeliveredVersion

__all__ = ["ByteRange", "DeliveredObject", "DeliveredVersion", "Delivery", "read_range"]
