package kernel

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// Where container engines write down what a container is called; only root can read
// them.
const (
	dockerDir  = "/var/lib/docker/containers"
	podmanFile = "/var/lib/containers/storage/overlay-containers/containers.json"
)

// ContainerName returns what Docker or Podman calls the container of that id, "" where
// neither says.
func ContainerName(id string) string {
	if id == "" {
		return ""
	}
	var docker struct{ Name string }
	if b, err := os.ReadFile(filepath.Join(dockerDir, id, "config.v2.json")); err == nil && json.Unmarshal(b, &docker) == nil && docker.Name != "" {
		return strings.TrimPrefix(docker.Name, "/")
	}
	var podman []struct {
		ID    string
		Names []string
	}
	if b, err := os.ReadFile(podmanFile); err == nil && json.Unmarshal(b, &podman) == nil {
		for _, c := range podman {
			if c.ID == id && len(c.Names) > 0 {
				return c.Names[0]
			}
		}
	}
	return ""
}
