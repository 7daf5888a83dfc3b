package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// FileInfo says what a file is about.
type FileInfo struct {
	Lab     string
	Filter  string // as it was written
	SnapLen int
	// Known are the interfaces that are described from the beginning; others are
	// when their first packet comes.
	Known []*Device
}

// File is a pcapng file that is written (draft-ietf-opsawg-pcapng). Each interface
// is called NAMESPACE:DEVICE in it. An error is kept and told by Err and Close; what
// is written after it is lost.
type File struct {
	info  FileInfo
	to    io.WriteCloser
	buf   *bufio.Writer
	w     *pcapgo.NgWriter // nil until there is an interface
	ids   map[Device]int
	count []uint64
	begun time.Time
	err   error
}

// fileBuffer is how many bytes are written at once.
const fileBuffer = 256 << 10

// NewFile begins a file.
func NewFile(to io.WriteCloser, info FileInfo) (*File, error) {
	f := &File{info: info, to: to, buf: bufio.NewWriterSize(to, fileBuffer), ids: map[Device]int{}, begun: time.Now()}
	for _, d := range info.Known {
		f.id(d)
	}
	f.Flush()
	return f, f.err
}

// id is the number of an interface in the file, which is described there before its
// first packet.
func (f *File) id(d *Device) int {
	if id, ok := f.ids[*d]; ok {
		return id
	}
	in := pcapgo.NgInterface{
		Name: d.Space + ":" + d.Name, Description: fmt.Sprintf("%s in namespace %s", d.Name, d.Space),
		Filter: f.info.Filter, OS: "Linux", LinkType: d.Link, SnapLength: uint32(f.info.SnapLen), TimestampResolution: 9,
	}
	if f.info.Lab != "" {
		in.Description += " of lab " + f.info.Lab
	}
	id := len(f.ids)
	var err error
	if f.w == nil {
		section := pcapgo.NgSectionInfo{Application: "nsscript", OS: "Linux"}
		if f.info.Lab != "" {
			section.Comment = "lab " + f.info.Lab
		}
		f.w, err = pcapgo.NewNgWriterInterface(f.buf, in, pcapgo.NgWriterOptions{SectionInfo: section})
	} else {
		id, err = f.w.AddInterface(in)
	}
	f.fail(err)
	f.ids[*d] = id
	f.count = append(f.count, 0)
	return id
}

func (f *File) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// Flush writes what was collected, for those who read the file while it grows.
func (f *File) Flush() {
	if f.err == nil {
		f.fail(f.buf.Flush())
	}
}

// Err is what went wrong so far.
func (f *File) Err() error { return f.err }

// Close writes how much was seen on each interface, and how many packets the kernel
// could not hand over, and closes the file. The kernel counts those lost for a
// namespace, not for an interface: lost tells them by the namespace's name, and they
// stand at its first interface.
func (f *File) Close(lost map[string]uint64) error {
	if f.w == nil {
		f.id(&Device{Space: "none", Name: "none", Link: layers.LinkTypeEthernet}) // a file must have one
	}
	byID := make([]Device, len(f.ids))
	for d, id := range f.ids {
		byID[id] = d
	}
	told := map[string]bool{}
	for id, d := range byID {
		if f.err != nil {
			break
		}
		now := time.Now()
		st := pcapgo.NgInterfaceStatistics{LastUpdate: now, StartTime: f.begun, EndTime: now, PacketsReceived: f.count[id]}
		if !told[d.Space] {
			told[d.Space] = true
			st.PacketsDropped = lost[d.Space]
			st.PacketsReceived += st.PacketsDropped
		}
		f.fail(f.w.WriteInterfaceStats(id, st))
	}
	f.Flush()
	return errors.Join(f.err, f.to.Close())
}
