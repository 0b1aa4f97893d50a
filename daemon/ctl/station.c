/* SPDX-License-Identifier: MIT */
/* The methods of org.cfdfu.Station as data, and the text that describes them; both are made from
 * include/cfdfu/org.cfdfu.Station.varlink when building. */
#include "config.h"

#include "ctl/station.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "ctl/station_methods.h"

#define SIGNATURE(handler, name, flags, ...) { PROTO_METHOD(name), flags, { __VA_ARGS__ } },
const struct method_signature station_signatures[] = { STATION_METHODS(SIGNATURE) };

const size_t station_method_count = ARRAY_LEN(station_signatures);

const char station_description[] =
#include "ctl/station_text.h"
    ;
