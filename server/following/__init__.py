"""Following tasks live: the sockets on which their events are told, history first, none missing and none twice."""
