//go:build linux

package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"
)

// writeFile writes packets of several interfaces to a file.
func writeFile(t *testing.T) (path string, packets []*Packet) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x.pcapng")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	red := &Device{Space: "red", Name: "eth0", Link: layers.LinkTypeEthernet}
	tun := &Device{Space: "blue", Name: "tun0", Link: layers.LinkTypeRaw}
	f, err := NewFile(out, FileInfo{Lab: "office", Filter: "udp", SnapLen: 1000, Known: []*Device{red}})
	if err != nil {
		t.Fatal(err)
	}
	raw := udpPacket("10.0.0.1", "10.0.0.2", 1, 9, "hello")
	ether := frame(v4("10.0.0.1", "10.0.0.2", 17), udp(1, 9), gopacket.Payload("hello"))
	at := time.Unix(1700000000, 123456789)
	packets = []*Packet{
		{Time: at, Dev: red, Dir: Out, Kind: unix.PACKET_OUTGOING, Length: len(ether), Data: ether},
		{Time: at.Add(1), Dev: tun, Dir: In, Kind: unix.PACKET_HOST, Length: len(raw), Data: raw[:30]},
		{Time: at.Add(2), Dev: red, Dir: In, Kind: unix.PACKET_BROADCAST, Length: len(ether), Data: ether},
	}
	for _, p := range packets {
		f.Write(p)
	}
	if err := f.Close(map[string]uint64{"red": 7}); err != nil {
		t.Fatal(err)
	}
	return path, packets
}

// TestFile reads back what was written: names, link types, nanoseconds, directions,
// comments and what was lost.
func TestFile(t *testing.T) {
	t.Parallel()
	path, packets := writeFile(t)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range packets {
		data, ci, opts, err := r.ReadPacketDataWithOptions()
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		in, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		if name := want.Dev.Space + ":" + want.Dev.Name; in.Name != name || in.LinkType != want.Dev.Link || in.Filter != "udp" || in.SnapLength != 1000 {
			t.Errorf("packet %d is of %q, link type %v, filter %q, snaplen %d", i, in.Name, in.LinkType, in.Filter, in.SnapLength)
		}
		if !ci.Timestamp.Equal(want.Time) || ci.Length != want.Length || !bytes.Equal(data, want.Data) {
			t.Errorf("packet %d is of %v, %d bytes, %x", i, ci.Timestamp, ci.Length, data)
		}
		direction := map[Direction]pcapgo.NgEpbFlag{In: pcapgo.NgEpbFlagDirectionInbound, Out: pcapgo.NgEpbFlagDirectionOutbound}[want.Dir]
		if opts.Flags == nil || opts.Flags.Direction != direction || opts.Flags.Reception != receptions[want.Kind] {
			t.Errorf("packet %d has the flags %+v", i, opts.Flags)
		}
	}
	if _, _, err := r.ReadPacketData(); !errors.Is(err, io.EOF) {
		t.Errorf("after the packets comes %v", err)
	}
	if c := r.SectionInfo().Comment; c != "lab office" {
		t.Errorf("the section's comment is %q", c)
	}
	for i, want := range []uint64{7, 0} {
		in, err := r.Interface(i)
		if err != nil || in.Statistics.PacketsDropped != want {
			t.Errorf("interface %d has lost %d packets (%v), want %d", i, in.Statistics.PacketsDropped, err, want)
		}
	}
}

// TestFileTshark has Wireshark's tshark read the same.
func TestFileTshark(t *testing.T) {
	t.Parallel()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("there is no tshark on this machine")
	}
	path, _ := writeFile(t)
	cmd := exec.Command(tshark, "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.interface_name",
		"-e", "frame.packet_flags", "-e", "ip.dst", "-e", "udp.dstport")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "1700000000.123456789\tred:eth0\t0x00000002\t10.0.0.2\t9\n" +
		"1700000000.123456790\tblue:tun0\t0x00000005\t10.0.0.2\t9\n" +
		"1700000000.123456791\tred:eth0\t0x0000000d\t10.0.0.2\t9\n"
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Errorf("tshark reads (-want +got):\n%s", diff)
	}
}

// TestFileEmpty: a file without packets is a file.
func TestFileEmpty(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	f, err := NewFile(nopCloser{&b}, FileInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(nil); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&b, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.ReadPacketData(); !errors.Is(err, io.EOF) {
		t.Errorf("a file without packets: %v", err)
	}
}

// full is a disk on which there is no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, unix.ENOSPC }
func (full) Close() error              { return nil }

// TestFileFull: an error of writing is told at the end, and before.
func TestFileFull(t *testing.T) {
	t.Parallel()
	d := &Device{Space: "red", Name: "eth0", Link: layers.LinkTypeEthernet}
	f, err := NewFile(full{}, FileInfo{})
	if err != nil {
		t.Fatal(err)
	}
	f.Write(&Packet{Dev: d, Length: 1, Data: []byte{1}})
	f.Flush()
	if !errors.Is(f.Err(), unix.ENOSPC) || !errors.Is(f.Close(nil), unix.ENOSPC) {
		t.Errorf("a full disk: %v", f.Err())
	}
}
