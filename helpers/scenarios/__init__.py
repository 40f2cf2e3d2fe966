"""What a single notebook needs: loaders, drawings and controls, a folder for each."""
