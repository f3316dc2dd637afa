"""The matching engine: pure and synchronous. Time is passed in, and nothing in here waits, logs or draws."""
