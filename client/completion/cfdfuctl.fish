# SPDX-License-Identifier: MIT
# cfdfuctl's words for fish: what `cfdfuctl __complete` answers (client/complete.h).

function __cfdfuctl_words
    set -l words (commandline -opc)
    for line in ($words[1] __complete $words[2..] (commandline -ct | string unescape) 2> /dev/null)
        if string match -q \t'*' -- $line
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end

complete -c cfdfuctl -f -a '(__cfdfuctl_words)'
