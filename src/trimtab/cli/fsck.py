"""`trimtab fsck`: prove that the store is whole."""
