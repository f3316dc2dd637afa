"""What exchange plugins on ccxt share. A third venue needs nothing but this package, the kernel and its own tables."""
