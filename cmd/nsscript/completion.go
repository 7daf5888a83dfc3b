package main

import (
	"io"

	"github.com/spf13/cobra"
)

// plainBash stands in for what the package bash-completion has and the script for
// bash uses, where that is not installed.
const plainBash = `
if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        local at=$COMP_CWORD line=${COMP_LINE:0:COMP_POINT}
        # Bash may take the @ of @EXAMPLE for a word of its own, as that of USER@HOST.
        if ((at > 1)) && [[ ${COMP_WORDS[at - 1]} == @ ]]; then
            ((at--))
        fi
        cur=${line##*[[:space:]]}
        prev=${COMP_WORDS[at > 0 ? at - 1 : 0]}
        words=("${COMP_WORDS[@]:0:at}" "$cur")
        cword=$at
    }
    __ltrim_colon_completions() { :; }
fi
`

func newCompletion() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print what has a shell complete commands, labs, namespaces, scripts and flags",
		Long: `Print what has a shell complete commands, labs, namespaces, scripts and flags.

    source <(nsscript completion bash)      in ~/.bashrc
    source <(nsscript completion zsh)       in ~/.zshrc, after compinit
    nsscript completion fish | source       in ~/.config/fish/config.fish`,
		ValidArgs: []string{"bash", "zsh", "fish"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				if _, err := io.WriteString(&stdout, plainBash); err != nil {
					return err
				}
				return root.GenBashCompletionV2(&stdout, true)
			case "zsh":
				return root.GenZshCompletion(&stdout)
			}
			return root.GenFishCompletion(&stdout, true)
		},
	}
	return cmd
}
