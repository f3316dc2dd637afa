"""Every mutant, by what it gets wrong."""

from __future__ import annotations

from .mistakes import closing, entering, noting, protecting, recovering
from .mutant import mutants_of

MUTANTS = tuple(each for module in (entering, protecting, closing, noting, recovering) for each in mutants_of(module))
