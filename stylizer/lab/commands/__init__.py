"""The lab's commands, a file each: from parsed arguments to files and printed results."""
