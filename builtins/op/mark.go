package op

import (
	"strings"
)

// markPrefix begins every mark that a lab leaves in the kernel.
const markPrefix = "nsscript:"

// MarkOf returns the mark of the lab called name.
func MarkOf(lab string) string { return markPrefix + lab }

// LabOf returns the lab that a mark names, or "".
func LabOf(mark string) string {
	name, ok := strings.CutPrefix(mark, markPrefix)
	if !ok {
		return ""
	}
	return name
}

// LabOfSign returns the lab that the sign of a process names, or "".
func LabOfSign(sign string) string {
	lab, _, _ := strings.Cut(LabOf(sign), ":")
	return lab
}

// RuleLab returns the lab whose mark a rule's comment is or begins with, or "".
func RuleLab(spec []string) string {
	for i, w := range spec {
		if w == "--comment" && i+1 < len(spec) {
			mark, _, _ := strings.Cut(spec[i+1], ": ")
			return LabOf(mark)
		}
	}
	return ""
}
