"""What readers bring: files, pictures, tables and texts, read and shown as they are."""
