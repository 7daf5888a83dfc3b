package graph

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// element is what the tests read of an SVG.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (e *element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e *element) number(t *testing.T, name string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(e.attr(name), 64)
	if err != nil {
		t.Fatalf("%s of <%s>: %v", name, e.XMLName.Local, err)
	}
	return f
}

// is reports whether an element is of that kind and that class.
func (e *element) is(name, class string) bool {
	return e.XMLName.Local == name && slices.Contains(strings.Fields(e.attr("class")), class)
}

// all calls do for an element and all within it.
func (e *element) all(do func(*element)) {
	do(e)
	for i := range e.Children {
		e.Children[i].all(do)
	}
}

// content is the text of an element and of those within it but titles.
func (e *element) content() string {
	s := e.Text
	for _, c := range e.Children {
		if c.XMLName.Local != "title" {
			s += c.content()
		}
	}
	return s
}

type frame struct {
	name       string
	x, y, w, h float64
}

// parsed reads a drawing: its frames by name, and the ends of its cables.
func parsed(t *testing.T, text string) (frames []frame, cables []string) {
	t.Helper()
	var root element
	if err := xml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatalf("it is no XML: %v", err)
	}
	width, height := root.number(t, "width"), root.number(t, "height")
	root.all(func(e *element) {
		switch {
		case e.is("g", "box"):
			f := frame{}
			if _, err := fmt.Sscanf(e.attr("transform"), "translate(%g %g)", &f.x, &f.y); err != nil {
				t.Fatal(err)
			}
			e.all(func(c *element) {
				switch {
				case c.is("rect", "card"):
					f.w, f.h = c.number(t, "width"), c.number(t, "height")
				case c.is("text", "name"):
					f.name = c.content()
				}
			})
			e.all(func(c *element) { inside(t, &f, c) })
			if f.x < 0 || f.y < 0 || f.x+f.w > width || f.y+f.h > height {
				t.Errorf("%s stands outside of the drawing", f.name)
			}
			frames = append(frames, f)
		case e.is("path", "cable"):
			cables = append(cables, e.Children[0].Text)
		}
	})
	return frames, cables
}

// inside checks that a line of a port stays within its card.
func inside(t *testing.T, f *frame, e *element) {
	t.Helper()
	if !e.is("g", "port") {
		return
	}
	for i := range e.Children {
		c := &e.Children[i]
		if c.XMLName.Local != "text" {
			continue
		}
		from, wide := c.number(t, "x"), monoWidth(c.content())
		if c.attr("text-anchor") == "end" {
			from -= wide
		}
		if y := c.number(t, "y"); from < 4 || from+wide > f.w-4 || y > f.h {
			t.Errorf("%q sticks out of the box %q", c.content(), f.name)
		}
	}
}

func (f *frame) overlaps(o *frame) bool {
	return f.x < o.x+o.w && o.x < f.x+f.w && f.y < o.y+o.h && o.y < f.y+f.h
}

// shapes are networks of every kind and size.
func shapes() map[string]network {
	return map[string]network{
		"empty": newNetwork(), "star5": star(5), "star100": star(100), "star1000": star(1000), "line2": line(2), "line20": line(20),
		"line100": line(100), "ring5": ring(5), "ring20": ring(20), "ring101": ring(101), "mesh5": mesh(5), "mesh20": mesh(20),
		"tree": tree(3, 3), "tree1000": tree(10, 3), "fabric": spineLeaf(2, 4, 3), "fabric100": spineLeaf(4, 12, 7),
		"tier": threeTier(), "docker": docker(), "bridges": twoBridges(), "kinds": kinds(), "tunnel": tunnel(),
	}
}

// TestSVG looks at drawings of every shape: each box and each cable is there once, and
// no two boxes overlap.
func TestSVG(t *testing.T) {
	for name, n := range shapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrawing(n.Picture)
			frames, cables := parsed(t, drawn(t, n, Options{Format: "svg"}))
			want := map[string]int{}
			for _, b := range d.boxes {
				want[b.name()]++
			}
			got := map[string]int{}
			for _, f := range frames {
				got[f.name]++
			}
			if !maps.Equal(want, got) {
				t.Errorf("there are the boxes %v, want %v", got, want)
			}
			seen := map[string]bool{}
			for _, c := range cables {
				if seen[c] {
					t.Errorf("the cable %s is there twice", c)
				}
				seen[c] = true
			}
			if len(seen) != len(d.cables) {
				t.Errorf("%d cables, want %d", len(seen), len(d.cables))
			}
			for i := range frames {
				for j := range i {
					if frames[i].overlaps(&frames[j]) {
						t.Errorf("%s and %s overlap", frames[i].name, frames[j].name)
					}
				}
			}
		})
	}
}

// TestWalkOnSVG checks that a packet's way is marked.
func TestWalkOnSVG(t *testing.T) {
	text := drawn(t, threeTier(), Options{Format: "svg", Walk: droppedWalk()})
	for _, want := range []string{`class="box walked"`, `class="box router walked dead"`, `class="cable walked"`, `class="cross"`, "✗ firewall-drop", `class="walk lost"`} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s", want)
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	for _, n := range []int{5, 20, 100, 1000} {
		net := star(n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				drawn(b, net, Options{Format: "svg"})
			}
		})
	}
}
