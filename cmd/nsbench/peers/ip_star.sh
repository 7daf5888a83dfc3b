# A star of $2 namespaces by one `ip` after the other: $1 is up or down.
set -e
if [ "$1" = up ]; then
	ip link add sw0 type bridge
	ip addr add 10.0.0.1/16 dev sw0
	ip link set sw0 up
	for i in $(seq 1 "$2"); do
		ip netns add h$i
		ip -n h$i link set lo up
		ip link add h$i-eth0 master sw0 type veth peer name eth0 netns h$i
		ip link set h$i-eth0 up
		ip -n h$i addr add 10.0.$(((i + 1) / 256)).$(((i + 1) % 256))/16 dev eth0
		ip -n h$i link set eth0 up
		ip -n h$i route add default via 10.0.0.1
	done
else
	ip link del sw0
	for i in $(seq 1 "$2"); do ip netns del h$i; done
fi
