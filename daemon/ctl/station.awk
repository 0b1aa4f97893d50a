# SPDX-License-Identifier: MIT
# org.cfdfu.Station.varlink -> station_methods.h: each method with its handler's name, its flags and
# its parameters, in the interface's order.  The comment above a method ends in
#
#   # Access: look.               or change, then ", more" for a stream, ", descriptor" for a file
#
# A method without it, a second one of the same name, and a type that no parameter may have are
# errors.

function fail(text)
{
	printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
	failed = 1
	exit 1
}

# "look, more." -> "0 | METHOD_STREAMS"
function flags_of(access, words, n, i, flags)
{
	flag["look"] = "0"
	flag["change"] = "METHOD_CHANGES"
	flag["more"] = "METHOD_STREAMS"
	flag["descriptor"] = "METHOD_DESCRIPTOR"
	n = split(access, words, ", ")
	for (i = 1; i <= n; i++) {
		if (!(words[i] in flag) || (i == 1) != (words[i] ~ /^(look|change)$/))
			fail("no such access: " access)
		flags = flags (i > 1 ? " | " : "") flag[words[i]]
	}
	return flags
}

# "name: ?string" -> { "name", PARAM_STRING, false }; of some names the text of a file is expected.
function parameter(text, required, kind)
{
	type["string"] = "PARAM_STRING"
	type["[]string"] = "PARAM_STRINGS"
	type["int"] = "PARAM_INT"
	type["bool"] = "PARAM_BOOL"
	gsub(/[ \t]/, "", text)
	required = sub(/:[?]/, ":", text) ? "false" : "true"
	if (text !~ /^[a-z0-9_]+:/ || !(substr(text, index(text, ":") + 1) in type))
		fail("not a parameter: " text)
	kind = text ~ /^(signature|selection):string$/ ? "PARAM_FILE" : type[substr(text, index(text, ":") + 1)]
	return sprintf("{ \"%s\", %s, %s }", substr(text, 1, index(text, ":") - 1), kind, required)
}

# "GetStatus" -> "get_status"
function snake(name, out, c)
{
	for (; name != ""; name = substr(name, 2)) {
		c = substr(name, 1, 1)
		out = out (c ~ /[A-Z]/ && out != "" ? "_" : "") tolower(c)
	}
	return out
}

function method(text, name, list, all, n, i)
{
	name = substr(text, 8, index(text, "(") - 8)
	if (name in known)
		fail("declared twice: " name)
	if (access == "")
		fail("the comment above " name " does not end in its access")
	known[name] = 1
	text = substr(text, index(text, "(") + 1)
	n = split(substr(text, 1, index(text, ")") - 1), list, ",")
	for (i = 1; i <= n; i++)
		all = all parameter(list[i]) ", "
	methods = methods sprintf(" \\\n\tX(%s, \"%s\", %s, %s{ NULL, 0, 0 })", snake(name), name,
				  flags_of(access), all)
}

/^# Access: .*[.]$/ {
	access = substr($0, 11, length($0) - 11)
	next
}
/^method / {
	reading = 1
	text = ""
}
reading {
	text = text $0
	if (!index(text, ") ->"))
		next
	method(text)
	reading = 0
}
{
	access = ""
}
END {
	if (failed)
		exit 1
	print "/* Made from org.cfdfu.Station.varlink by station.awk. */"
	print "#define STATION_METHODS(X)" methods
}
