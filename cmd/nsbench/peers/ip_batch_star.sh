# A star of $2 namespaces by `ip -batch`: one on the host, one in each namespace. $1 is up
# or down; $3 is when the bridge is brought up: first, as one would, or last.
set -e
if [ "$1" = up ]; then
	{
		echo "link add sw0 type bridge"
		echo "addr add 10.0.0.1/16 dev sw0"
		if [ "$3" = first ]; then echo "link set sw0 up"; fi
		for i in $(seq 1 "$2"); do
			echo "netns add h$i"
			echo "link add h$i-eth0 master sw0 type veth peer name eth0 netns h$i"
			echo "link set h$i-eth0 up"
		done
		if [ "$3" = last ]; then echo "link set sw0 up"; fi
	} | ip -batch -
	for i in $(seq 1 "$2"); do
		ip -n h$i -batch - <<-end
			link set lo up
			addr add 10.0.$(((i + 1) / 256)).$(((i + 1) % 256))/16 dev eth0
			link set eth0 up
			route add default via 10.0.0.1
		end
	done
else
	{
		echo "link del sw0"
		for i in $(seq 1 "$2"); do echo "netns del h$i"; done
	} | ip -batch -
fi
