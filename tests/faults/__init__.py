"""Every write fails once: by a kill, by a broken disk, and by a full one."""
