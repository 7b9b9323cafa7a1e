# Opening sockets.

cdef enum:
    SOCKET_BUFFER = 4 << 20  # a key frame to six hundred subscribers; the kernel grants what its limits allow
    # What one slow connection may hold of what is to be sent: 7 Mbit/s with 150 ms round trip. The kernel doubles it for
    # its own needs.
    TCP_BUFFER = 128 << 10
    # And of that at most so much which is not even on its way: when a line narrows, what waits here is sound that comes late. It
    # is some packets more than the pace lets go at once.
    TCP_UNSENT = 48 << 10
    LISTEN_QUEUE = 256
    PORT_ATTEMPTS = 16
    SO_RCVBUFFORCE = 33
    SO_SNDBUFFORCE = 32


cdef enum sharing_t:
    ALONE
    FIRST  # of several planes on one port
    FURTHER


cdef object bind(object sock, str address, int port, int sharing):
    """Bind a socket that others of this process may join (SO_REUSEPORT), or that joins them.

    The first binds alone and lets others in afterwards: so a port that another program has is refused, and a second
    server does not silently take half of the first one's clients.
    """
    if sharing == FURTHER:
        sock.setsockopt(sockets_module.SOL_SOCKET, sockets_module.SO_REUSEPORT, 1)
    sock.bind((address, port))
    if sharing == FIRST:
        sock.setsockopt(sockets_module.SOL_SOCKET, sockets_module.SO_REUSEPORT, 1)


cdef object open_socket(str address, int port, int sharing):
    """A bound UDP socket; OSError names the address."""
    family = sockets_module.AF_INET6 if ":" in address else sockets_module.AF_INET
    sock = sockets_module.socket(family, sockets_module.SOCK_DGRAM | sockets_module.SOCK_NONBLOCK)
    try:
        if family == sockets_module.AF_INET6:
            sock.setsockopt(sockets_module.IPPROTO_IPV6, sockets_module.IPV6_V6ONLY, 1)
        for option, forced in (
            (sockets_module.SO_RCVBUF, SO_RCVBUFFORCE), (sockets_module.SO_SNDBUF, SO_SNDBUFFORCE),
        ):
            try:
                sock.setsockopt(sockets_module.SOL_SOCKET, forced, SOCKET_BUFFER)
            except PermissionError:
                sock.setsockopt(sockets_module.SOL_SOCKET, option, SOCKET_BUFFER)
        bind(sock, address, port, sharing)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"UDP port {port} on {address}: {error.strerror}") from error
    return sock


cdef object open_listener(object beside, int sharing):
    """A TCP listener at the address and port of a UDP socket; OSError names them."""
    address, port = beside.getsockname()[:2]
    sock = sockets_module.socket(beside.family, sockets_module.SOCK_STREAM | sockets_module.SOCK_NONBLOCK)
    try:
        if beside.family == sockets_module.AF_INET6:
            sock.setsockopt(sockets_module.IPPROTO_IPV6, sockets_module.IPV6_V6ONLY, 1)
        # Connections inherit all of these. Nothing is held back to be sent with what comes later.
        sock.setsockopt(sockets_module.IPPROTO_TCP, sockets_module.TCP_NODELAY, 1)
        sock.setsockopt(sockets_module.SOL_SOCKET, sockets_module.SO_SNDBUF, TCP_BUFFER)
        sock.setsockopt(sockets_module.SOL_SOCKET, sockets_module.SO_RCVBUF, TCP_BUFFER)
        sock.setsockopt(sockets_module.IPPROTO_TCP, sockets_module.TCP_NOTSENT_LOWAT, TCP_UNSENT)
        # Connections of a server that was stopped a moment ago do not keep the port.
        sock.setsockopt(sockets_module.SOL_SOCKET, sockets_module.SO_REUSEADDR, 1)
        bind(sock, address, port, sharing)
        sock.listen(LISTEN_QUEUE)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"TCP port {port} on {address}: {error.strerror}") from error
    return sock


cdef list open_datagrams(list addresses, int port, int sharing):
    """A UDP socket an address, all on one port."""
    opened = []
    refused = None
    try:
        for address in addresses:
            try:
                sock = open_socket(address, port, sharing)
            except OSError as error:
                # A machine without IPv6: the other addresses will do.
                if ":" not in address or error.errno not in (97, 99) or len(addresses) == 1:
                    raise
                refused = error
                continue
            opened.append(sock)
            port = sock.getsockname()[1]
        if not opened:
            raise refused
    except BaseException:
        close_all(opened)
        raise
    return opened


cdef tuple open_all(list addresses, int port, bint tcp, int sharing):
    """The UDP sockets and the TCP listeners beside them. A free port (0) is one that is free at every address, for both."""
    for attempt in range(PORT_ATTEMPTS):
        datagrams = []
        listeners = []
        try:
            datagrams = open_datagrams(addresses, port, sharing)
            for sock in datagrams if tcp else []:
                listeners.append(open_listener(sock, sharing))
            return datagrams, listeners
        except OSError as error:
            close_all(datagrams + listeners)
            if port or error.errno != 98 or attempt == PORT_ATTEMPTS - 1:
                raise


cdef void close_all(list sockets):
    for sock in sockets:
        sock.close()


cdef bint segments(object sock):
    """Whether this kernel knows UDP_SEGMENT at all."""
    try:
        sock.setsockopt(17, 103, 0)
    except OSError:
        return False
    return True
