"""One offline HTML file about a study."""
