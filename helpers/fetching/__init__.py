"""How assets come from the package index and elsewhere, and are checked and unpacked."""
