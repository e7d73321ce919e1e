"""Results and images in the files that other programs open: tables, spreadsheets, training layouts."""
