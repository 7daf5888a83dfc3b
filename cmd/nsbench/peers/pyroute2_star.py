"""A star of namespaces by pyroute2. It makes the star, or takes it down."""

import sys

from pyroute2 import IPRoute, NetNS, netns

command, n = sys.argv[1], int(sys.argv[2])
ipr = IPRoute()
if command == "up":
    ipr.link("add", ifname="sw0", kind="bridge")
    bridge = ipr.link_lookup(ifname="sw0")[0]
    ipr.addr("add", index=bridge, address="10.0.0.1", prefixlen=16)
    for i in range(n):
        name = "h%d" % (i + 1)
        netns.create(name)
        port = name + "-eth0"
        ipr.link("add", ifname=port, kind="veth", peer={"ifname": "eth0", "net_ns_fd": name})
        index = ipr.link_lookup(ifname=port)[0]
        ipr.link("set", index=index, master=bridge, state="up")
        with NetNS(name) as ns:
            eth0 = ns.link_lookup(ifname="eth0")[0]
            ns.link("set", index=1, state="up")
            ns.addr("add", index=eth0, address="10.0.%d.%d" % divmod(i + 2, 256), prefixlen=16)
            ns.link("set", index=eth0, state="up")
            ns.route("add", dst="default", gateway="10.0.0.1")
    ipr.link("set", index=bridge, state="up")
else:
    ipr.link("del", index=ipr.link_lookup(ifname="sw0")[0])
    for i in range(n):
        netns.remove("h%d" % (i + 1))
ipr.close()
