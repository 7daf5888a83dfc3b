package kernel

import (
	"bufio"
	"os"
	"slices"
	"strings"
)

// installers are the commands that install a package, by the distribution's
// family (os-release(5), ID and ID_LIKE).
var installers = map[string]string{
	"debian": "sudo apt-get install", "ubuntu": "sudo apt-get install",
	"fedora": "sudo dnf install", "rhel": "sudo dnf install", "centos": "sudo dnf install",
	"suse": "sudo zypper install", "opensuse": "sudo zypper install",
	"arch": "sudo pacman -S", "alpine": "sudo apk add",
}

// InstallCommand returns the command that installs a package here; pkg is
// Debian's name of it.
func InstallCommand(pkg string) string {
	for _, id := range distribution() {
		if cmd, ok := installers[id]; ok {
			return "install it: " + cmd + " " + pkg
		}
	}
	return "install the package " + pkg
}

func distribution() []string {
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	var ids, like []string
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		k, v, _ := strings.Cut(sc.Text(), "=")
		switch v = strings.Trim(v, `"'`); k {
		case "ID":
			ids = strings.Fields(v)
		case "ID_LIKE":
			like = strings.Fields(v)
		}
	}
	return slices.Concat(ids, like)
}
