package builtins

import (
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"nsscript/builtins/op"
)

var portVLANSpec = spec{
	sig: "vlan(bridge, port, vids, *, pvid = None, untagged = None)",
	doc: portVLANDoc,
	run: portVLANs,
}

// vlanIDs are numbers of VLANs: one, a list, or a range "10-20".
type vlanIDs []int

func (l *vlanIDs) unpack(_ *Session, v starlark.Value) error {
	if it, ok := v.(starlark.Iterable); ok {
		iter := it.Iterate()
		defer iter.Done()
		var x starlark.Value
		for iter.Next(&x) {
			if err := l.add(x); err != nil {
				return err
			}
		}
	} else if err := l.add(v); err != nil {
		return err
	}
	slices.Sort(*l)
	*l = slices.Compact(*l)
	return nil
}

func (l *vlanIDs) add(v starlark.Value) error {
	if s, ok := starlark.AsString(v); ok {
		from, to, is := strings.Cut(s, "-")
		low, err1 := strconv.Atoi(from)
		high, err2 := strconv.Atoi(to)
		if !is || err1 != nil || err2 != nil || low < 1 || high > 4094 || low > high {
			return want(`VLANs: a number from 1 to 4094, a list, or a range "10-20"`, v)
		}
		for id := low; id <= high; id++ {
			*l = append(*l, id)
		}
		return nil
	}
	id := 0
	if err := readInt(v, &id, 1, 4094, ""); err != nil {
		return want(`VLANs: a number from 1 to 4094, a list, or a range "10-20"`, v)
	}
	*l = append(*l, id)
	return nil
}

func portVLANs(c *call) (starlark.Value, error) {
	br, err := c.linkArg()
	if err != nil {
		return nil, err
	}
	var port devName
	var vids, untagged vlanIDs
	pvid := 0
	if err := c.unpack(nil, &port, &vids, within{&pvid, 1, 4094, ""}, &untagged); err != nil {
		return nil, err
	}
	o := &op.SetPortVLANs{NS: br.n.name, Bridge: br.name}
	if o.Port, err = port.in(br.n, "port"); err != nil {
		return nil, err
	}
	if pvid != 0 {
		vids = append(vids, pvid)
		if !c.given("untagged") {
			untagged = vlanIDs{pvid}
		}
	}
	for _, id := range untagged {
		if !slices.Contains(vids, id) {
			return nil, &argError{"untagged", badArg("", "the port is not in VLAN %d", id)}
		}
	}
	slices.Sort(vids)
	for _, id := range slices.Compact(vids) {
		o.VLANs = append(o.VLANs, op.PortVLAN{ID: id, PVID: id == pvid, Untagged: slices.Contains(untagged, id)})
	}
	return c.args[1], c.do(o)
}

const portVLANDoc = `
Puts a port into VLANs, and into no others: a new port is in VLAN 1, without a tag. The bridge must have vlan_filtering.

port (Link | string): the port, or the bridge itself, for its own addresses
vids (int | list[int] | string): the VLANs: 10, [10, 20] or "10-20"; frames of theirs bear a tag, as between switches
pvid (int, 1 to 4094): the VLAN of what comes in without a tag; it goes out without one too, as to a host
untagged (int | list[int] | string): the VLANs whose frames go out without a tag; left out, that of pvid
returns (Link | string): the port
errors: it is no port of this bridge; the bridge does not tell its ports apart by VLAN; the kernel cannot (CONFIG_BRIDGE_VLAN_FILTERING)
example:
    if kernel.has("vlan_filtering"):
        br0 = bridge("br0", vlan_filtering = True)
        red, blue, green = namespace("red"), namespace("blue"), namespace("green")
        for i, (ns, id) in enumerate([(red, 10), (blue, 10), (green, 20)]):
            port = br0.attach(ns, addr = "10.0.0.%d/24" % (i + 1)).peer
            br0.vlan(port, id, pvid = id)
        print(ping(red, blue).received, ping(red, green).received)
        #> 1 0
command: bridge vlan del dev PORT vid 1
    bridge vlan add dev PORT vid VID pvid untagged
source: bridge(8), IEEE 802.1Q
`
