"""A star of namespaces by Mininet: a LinuxBridge, no controller.

It says when it is up, and goes on when it gets a line: to its end, or to ping all pairs
first where there is a second argument.
"""

import sys

from mininet.net import Mininet
from mininet.nodelib import LinuxBridge

net = Mininet(switch=LinuxBridge, controller=None, ipBase="10.0.0.0/16")
switch = net.addSwitch("s1")
for i in range(int(sys.argv[1])):
    host = net.addHost("h%d" % (i + 1), defaultRoute="via 10.0.0.1")
    net.addLink(host, switch)
net.start()
switch.cmd("ip addr add 10.0.0.1/16 dev s1")
print("up", flush=True)
sys.stdin.readline()
if len(sys.argv) > 2 and net.pingAll():
    sys.exit("some pings are lost")
if len(sys.argv) > 2:
    print("pinged", flush=True)
    sys.stdin.readline()
net.stop()
