"""Every write can fail: by a kill, by a broken disk, by a full one; at each of them in turn."""
