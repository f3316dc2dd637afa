"""Pure decisions: facts in, commands out. No asyncio, clock, randomness, logging or I/O in here."""
