"""How bad a venue and the world around it are."""

from __future__ import annotations

from attrs import frozen


@frozen
class Faults:
    """How bad the venue and the world are, as chances in percent, while they are bad."""

    unknown: int = 0
    refused: int = 0
    partial: int = 0
    lost: int = 0
    repeated: int = 0
    failed_reads: int = 0
    late_reads_s: int = 0
    slow_s: int = 1
    very_late_s: int = 0
    strangers: int = 0
    restarts: int = 0
    wishes: int = 0
