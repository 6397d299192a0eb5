"""Wayland: the desktop's portal and PipeWire, wlroots' screencopy, and where sway's windows are."""
