"""Real subscribers on real lines that are poor: the server is one host, the members another, and between them is one
line of so many bits a second, with a queue, a delay and losses.

The hosts are network namespaces. The line is a process of ours between two TUN devices and not `tc`: small kernels, of
virtual machines above all, come without netem, and one seed gives the same losses everywhere. Where namespaces or TUN
devices cannot be made, these tests are skipped and say why.
"""
