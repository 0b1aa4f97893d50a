#!/bin/sh
# SPDX-License-Identifier: MIT
# The texts for users, as a translator would get them: those in calls by the function that prints
# them, those in tables by N_() (client/translate.h).
#
#   messages.sh FILE   extracts them from client and firmware of $srcdir into FILE (gettext's .pot)
#   messages.sh        proves that samples of each kind are found, and that no help text lacks its mark
#
# Needs xgettext(1); without it the test is skipped (exit status 77).
set -u
srcdir=${srcdir:-.}
found=${1:-$(mktemp)} || exit 1
[ $# -gt 0 ] || trap 'rm -f "$found"' EXIT

command -v xgettext > /dev/null || { echo "messages: no xgettext"; exit 77; }

# The function, and which of its arguments is the text.
keywords="N_ say_error say_note say_failure:3 usage_error:2 printf puts text_format:3 text_add:3 out_names
	fprintf:2 fputs fw_refuse:3 fw_warn:2 refuse_record:3 judge_add:4"
# shellcheck disable=SC2046,SC2086 # words are meant; names of files here have no blanks
(cd "$srcdir" && xgettext --language=C --from-code=UTF-8 --no-location --omit-header -o - \
	-k $(printf ' -k%s' $keywords) $(find client daemon/firmware -name '*.c' | sort)) > "$found" 2> /dev/null ||
	exit 1
[ $# -eq 0 ] || exit 0

bad=0
wants() # NUMBER-OF-TEXTS
{
	count=$(grep -c '^msgid "' "$found")
	[ "$count" -ge "$1" ] || { echo "messages: $count texts, at least $1 expected"; bad=1; }
}
has() # TEXT
{
	grep -qF -e "$1" "$found" || { echo "messages: not found: $1"; bad=1; }
}

# Self-test: a text that does not exist is not found.
has 'a text that is printed nowhere' > /dev/null
[ $bad -eq 1 ] || { echo "messages: finds what is not there"; exit 1; }
bad=0

wants 480
has 'no service is listening on %s: cfdfud is not running' # say_failure()
has 'unknown command: %s%s'				   # usage_error()
has 'Nothing to retry: no drone that is plugged in has failed.' # puts()
has 'which drones? name them, or --failed'		   # a choice of two
has 'flash drones again'				   # help of a command
has 'no colours, as with NO_COLOR in the environment'	   # help of an option
has 'needs the button'					   # a table
has 'touches 0x%08'					   # a finding of the judge
has 'checksum is 0x%02X, expected 0x%02X'		   # a refusal of a file
grep -nE '\.help = "' "$srcdir"/client/*.c && { echo "messages: a help text without N_()"; bad=1; }
exit $bad
