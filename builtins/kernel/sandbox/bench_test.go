//go:build linux

package sandbox

import (
	"context"
	"os"
	"testing"
)

func BenchmarkStartAndKill(b *testing.B) {
	for b.Loop() {
		s, err := Start(context.Background(), Options{User: os.Geteuid() != 0})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Kill(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := Start(context.Background(), Options{User: os.Geteuid() != 0})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Kill(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkEnter(b *testing.B) {
	s, err := Start(context.Background(), Options{User: os.Geteuid() != 0})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Kill(context.Background())
	for b.Loop() {
		p, err := s.Start(Command{Args: []string{"/bin/true"}})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}
