"""The processors that come with vasculum, one file each."""
