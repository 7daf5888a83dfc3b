//go:build linux

package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
)

// seen collects the packets of a tap.
type seen struct {
	mu   sync.Mutex
	list []*Packet
}

func (s *seen) add(p *Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, p.Keep(MaxSnapLen))
}

func (s *seen) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var flows Flows
	lines := make([]string, len(s.list))
	for i, p := range s.list {
		flows.Note(p)
		lines[i] = fmt.Sprintf("%s %s %s", p.Dev.Name, p.Dir, p.Summary())
	}
	return lines
}

func start(t testing.TB, n *testNS, o Options) *Tap {
	t.Helper()
	o.Space = n.Name
	tap, err := Start(n, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tap.Stop() })
	return tap
}

func sync1(t testing.TB, tap *Tap) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := tap.Sync(ctx); err != nil {
		t.Fatalf("the tap does not keep up: %v", err)
	}
}

func wantLines(t testing.TB, s *seen, want ...string) {
	t.Helper()
	if got := strings.Join(s.lines(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("seen:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

// TestTap: from the moment that Start returns every packet is seen, of all
// interfaces, with its direction; and nothing after Stop.
func TestTap(t *testing.T) {
	t.Parallel()
	a, b := cabled(t)
	b.listen(9)
	send := a.sender("10.0.0.2", 9)
	send([]byte("before"))
	var atA, atB, onlyLo seen
	tapA := start(t, a, Options{Each: atA.add})
	tapB := start(t, b, Options{Dev: "eth0", Each: atB.add})
	tapLo := start(t, b, Options{Dev: "lo", Each: onlyLo.add})
	send([]byte("one"))
	b.sender("127.0.0.1", 9)([]byte("round"))
	for _, tap := range []*Tap{tapA, tapB, tapLo} {
		sync1(t, tap)
	}
	port := func(s *seen) string { return fmt.Sprint(s.list[0].Fields().Sport) }
	wantLines(t, &atA, "eth0 out IP 10.0.0.1."+port(&atA)+" > 10.0.0.2.9: UDP, length 3")
	wantLines(t, &atB, "eth0 in IP 10.0.0.1."+port(&atA)+" > 10.0.0.2.9: UDP, length 3")
	wantLines(t, &onlyLo, "lo in IP 127.0.0.1."+port(&onlyLo)+" > 127.0.0.1.9: UDP, length 5")
	send([]byte("two"))
	if err := tapA.Stop(); err != nil {
		t.Error(err)
	}
	send([]byte("three"))
	if n := len(atA.list); n != 2 {
		t.Errorf("%d packets at a, want 2: one of them after the first, none after the end", n)
	}
	if d := atA.list[1].Time.Sub(atA.list[0].Time); d <= 0 || d > 5*time.Second {
		t.Errorf("the second packet is %v after the first", d)
	}
}

// TestTapAll: a tap on all interfaces has those that come later, with the link
// types of each, and VLAN tags as they are on the cable.
func TestTapAll(t *testing.T) {
	t.Parallel()
	a, b := cabled(t)
	b.listen(9)
	var got seen
	tap := start(t, b, Options{Each: got.add})
	// The kernel takes the tag off before the packet is seen.
	frame := append([]byte{255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x81, 0, 0x20, 7, 8, 0}, udpPacket("10.7.0.1", "10.7.0.2", 7, 9, "tagged")...)
	a.sendFrame("eth0", frame)
	sync1(t, tap)
	wantLines(t, &got, "eth0 in vlan 7, IP 10.7.0.1.7 > 10.7.0.2.9: UDP, length 6")
	if p := got.list[0]; p.Length != len(frame) || !bytes.Equal(p.Data, frame) {
		t.Errorf("a tagged frame\n%x\nis seen as one of %d bytes\n%x", frame, p.Length, p.Data)
	}

	tun := b.tun("tun0", "10.8.0.2/24")
	if _, err := tun.Write(udpPacket("10.8.0.1", "10.8.0.2", 8, 9, "raw")); err != nil {
		t.Fatal(err)
	}
	b.sender("10.8.0.1", 9)([]byte("wrapped"))
	sync1(t, tap)
	sport := got.list[len(got.list)-1].Fields().Sport
	wantLines(t, &got, "eth0 in vlan 7, IP 10.7.0.1.7 > 10.7.0.2.9: UDP, length 6",
		"tun0 in IP 10.8.0.1.8 > 10.8.0.2.9: UDP, length 3",
		fmt.Sprintf("tun0 out IP 10.8.0.2.%d > 10.8.0.1.9: UDP, length 7", sport))
	if d := got.list[1].Dev; d.Link != layers.LinkTypeRaw {
		t.Errorf("the packets of %s begin with %v", d.Name, d.Link)
	}
}

// TestTapFilter: the filter holds from the first packet on, and cuts.
func TestTapFilter(t *testing.T) {
	t.Parallel()
	a, b := cabled(t)
	b.listen(9)
	send := a.sender("10.0.0.2", 9)
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtLen},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 14 + 28 + 5, SkipFalse: 1},
		bpf.RetConstant{Val: 20},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() { // packets of the wrong length pass while the taps begin
		for {
			select {
			case <-stop:
				return
			default:
				send([]byte("wrong!"))
				time.Sleep(50 * time.Microsecond)
			}
		}
	})
	for range 20 {
		var got seen
		tap := start(t, b, Options{Filter: program, Each: got.add})
		send([]byte("right"))
		sync1(t, tap)
		if len(got.list) != 1 || got.list[0].Length != 47 || len(got.list[0].Data) != 20 {
			t.Errorf("seen: %q, want one packet of 47 bytes, cut to 20", got.lines())
		}
		_ = tap.Stop()
	}
	close(stop)
	sending.Wait()
	if _, err := Start(b, Options{Filter: []bpf.RawInstruction{{Op: 0xffff}}, Each: func(*Packet) {}}); err == nil {
		t.Error("a filter that is no program is taken")
	}
}

// TestTapDown: an interface may go down and come up; with its end the tap ends.
func TestTapDown(t *testing.T) {
	t.Parallel()
	a, b := cabled(t)
	b.listen(9)
	var got seen
	tap := start(t, b, Options{Dev: "eth0", Each: got.add})
	b.Must(b.NL.LinkSetDown(b.Link("eth0")))
	time.Sleep(20 * time.Millisecond)
	b.Up("eth0")
	for range 5000 {
		if a.Link("eth0").Attrs().OperState == netlink.OperUp {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for range 100 {
		a.sender("10.0.0.2", 9)([]byte("again"))
		if sync1(t, tap); len(got.lines()) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if len(got.lines()) == 0 {
		t.Error("nothing is seen of an interface that came up again")
	}
	b.Must(b.NL.LinkDel(b.Link("eth0")))
	select {
	case <-tap.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the tap goes on without its interface")
	}
	if err := tap.Stop(); !errors.Is(err, ErrGone) {
		t.Errorf("the tap ended with %v", err)
	}
	if _, err := Start(b, Options{Dev: "eth0", Each: func(*Packet) {}}); err == nil || !strings.Contains(err.Error(), `no interface "eth0"`) {
		t.Errorf("a tap on an interface that is not there: %v", err)
	}
}

// rate sends so many datagrams at so many a second, and returns how long it took.
func rate(send func([]byte), packets, perSecond, size int) time.Duration {
	b := make([]byte, size)
	begun := time.Now()
	for i := range packets {
		send(b)
		if i%50 == 0 {
			ahead := time.Duration(i)*time.Second/time.Duration(perSecond) - time.Since(begun)
			if ahead > 0 {
				time.Sleep(ahead)
			}
		}
	}
	return time.Since(begun)
}

// TestTapRate: at 50,000 packets a second, written to a file and kept, each packet is
// seen, or counted as lost.
func TestTapRate(t *testing.T) {
	a, b := cabled(t)
	b.listen(9)
	const packets = 100000
	out, err := os.Create(filepath.Join(t.TempDir(), "x.pcapng"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := NewFile(out, FileInfo{Lab: "rate"})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	tap := start(t, b, Options{Dev: "eth0", Each: func(p *Packet) {
		n++
		_ = p.Keep(2048)
		file.Write(p)
	}, Idle: file.Flush})
	took := rate(a.sender("10.0.0.2", 9), packets, 50000, 100)
	if err := tap.Stop(); err != nil {
		t.Fatal(err)
	}
	lost := int(tap.Dropped())
	t.Logf("%d packets in %v (%.0f a second): %d seen, %d lost", packets, took, packets/took.Seconds(), n, lost)
	if n+lost != packets {
		t.Errorf("%d packets were seen and %d are told to be lost: of %d, %d are missing", n, lost, packets, packets-n-lost)
	}
	if lost > 0 {
		t.Errorf("%d packets were lost", lost)
	}
	if err := file.Close(map[string]uint64{"b": uint64(lost)}); err != nil {
		t.Error(err)
	}
}

// TestTapTellsLoss: what does not fit into the ring is counted.
func TestTapTellsLoss(t *testing.T) {
	t.Parallel()
	a, b := cabled(t)
	b.listen(9)
	const packets = 20000
	n := 0
	tap := start(t, b, Options{Dev: "eth0", Ring: 1, Each: func(*Packet) {
		n++
		time.Sleep(100 * time.Microsecond)
	}})
	rate(a.sender("10.0.0.2", 9), packets, 1000000, 1000)
	_ = tap.Stop()
	lost := int(tap.Dropped())
	if n+lost != packets || lost == 0 {
		t.Errorf("%d packets were seen and %d are told to be lost, of %d", n, lost, packets)
	}
}

func BenchmarkTap(bench *testing.B) {
	a, b := cabled(bench)
	b.listen(9)
	file, err := NewFile(nopCloser{io.Discard}, FileInfo{})
	if err != nil {
		bench.Fatal(err)
	}
	n := 0
	tap := start(bench, b, Options{Dev: "eth0", Each: func(p *Packet) {
		n++
		_ = p.Keep(2048)
		file.Write(p)
	}})
	send := a.sender("10.0.0.2", 9)
	bench.ResetTimer()
	for range bench.N {
		send(make([]byte, 100))
	}
	_ = tap.Stop()
	bench.ReportMetric(float64(bench.N)/bench.Elapsed().Seconds(), "packets/s")
	bench.ReportMetric(float64(tap.Dropped()), "lost")
	if n+int(tap.Dropped()) != bench.N {
		bench.Errorf("%d seen, %d lost, of %d", n, tap.Dropped(), bench.N)
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
