"""The run: the one loop, its threads, what it counts and what it leaves behind."""
