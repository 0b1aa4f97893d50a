/* SPDX-License-Identifier: MIT */
/* The methods of org.cfdfu.Station as data, and the text that describes them. */
#include "config.h"

#include "ctl/station.h"

#include "cfdfu/proto.h"

#define REQUIRED true
#define OPTIONAL false

const struct method_signature station_signatures[STATION_METHOD_COUNT] = {
	[STATION_GET_STATUS] = { PROTO_METHOD("GetStatus"), 0,
		{ { "target", PARAM_STRING, OPTIONAL } } },
	[STATION_WATCH] = { PROTO_METHOD("Watch"), METHOD_STREAMS,
		{ { "target", PARAM_STRING, OPTIONAL } } },
	[STATION_PAUSE] = { PROTO_METHOD("Pause"), METHOD_CHANGES, { { NULL, 0, 0 } } },
	[STATION_RESUME] = { PROTO_METHOD("Resume"), METHOD_CHANGES, { { NULL, 0, 0 } } },
	[STATION_RETRY] = { PROTO_METHOD("Retry"), METHOD_CHANGES,
		{ { "targets", PARAM_STRINGS, OPTIONAL },
		  { "failed", PARAM_BOOL, OPTIONAL },
		  { "force", PARAM_BOOL, OPTIONAL } } },
	[STATION_ADD_FIRMWARE] = { PROTO_METHOD("AddFirmware"), METHOD_CHANGES | METHOD_DESCRIPTOR,
		{ { "name", PARAM_STRING, OPTIONAL },
		  { "platform", PARAM_STRING, OPTIONAL },
		  { "manifest", PARAM_STRING, OPTIONAL },
		  { "source_name", PARAM_STRING, REQUIRED },
		  { "source_sha256", PARAM_STRING, REQUIRED },
		  { "version", PARAM_STRING, OPTIONAL },
		  { "notes", PARAM_STRINGS, OPTIONAL },
		  { "incomplete", PARAM_BOOL, OPTIONAL } } },
	[STATION_LIST_FIRMWARE] = { PROTO_METHOD("ListFirmware"), 0, { { NULL, 0, 0 } } },
	[STATION_GET_FIRMWARE] = { PROTO_METHOD("GetFirmware"), 0,
		{ { "name", PARAM_STRING, REQUIRED } } },
	[STATION_SELECT_FIRMWARE] = { PROTO_METHOD("SelectFirmware"), METHOD_CHANGES,
		{ { "name", PARAM_STRING, REQUIRED },
		  { "platform", PARAM_STRING, OPTIONAL },
		  { "target", PARAM_STRING, OPTIONAL } } },
	[STATION_DESELECT_FIRMWARE] = { PROTO_METHOD("DeselectFirmware"), METHOD_CHANGES,
		{ { "platform", PARAM_STRING, OPTIONAL }, { "target", PARAM_STRING, OPTIONAL } } },
	[STATION_REMOVE_FIRMWARE] = { PROTO_METHOD("RemoveFirmware"), METHOD_CHANGES,
		{ { "name", PARAM_STRING, REQUIRED } } },
	[STATION_SET_PLATFORM_RULE] = { PROTO_METHOD("SetPlatformRule"), METHOD_CHANGES,
		{ { "target", PARAM_STRING, REQUIRED }, { "platform", PARAM_STRING, OPTIONAL } } },
	[STATION_GET_HISTORY] = { PROTO_METHOD("GetHistory"), 0,
		{ { "serial", PARAM_STRING, OPTIONAL },
		  { "slot", PARAM_STRING, OPTIONAL },
		  { "verdict", PARAM_STRING, OPTIONAL },
		  { "since", PARAM_STRING, OPTIONAL },
		  { "until", PARAM_STRING, OPTIONAL },
		  { "limit", PARAM_INT, OPTIONAL },
		  { "before", PARAM_INT, OPTIONAL },
		  { "kind", PARAM_STRING, OPTIONAL } } },
	[STATION_GET_ATTEMPT] = { PROTO_METHOD("GetAttempt"), 0,
		{ { "id", PARAM_INT, REQUIRED } } },
	[STATION_GET_DRONE] = { PROTO_METHOD("GetDrone"), 0,
		{ { "serial", PARAM_STRING, REQUIRED } } },
	[STATION_RELEASE_PORT] = { PROTO_METHOD("ReleasePort"), METHOD_CHANGES,
		{ { "target", PARAM_STRING, OPTIONAL } } },
	[STATION_RELEASE_FIRMWARE] = { PROTO_METHOD("ReleaseFirmware"), METHOD_CHANGES,
		{ { "name", PARAM_STRING, REQUIRED } } },
	[STATION_RECOVER_LOADER] = { PROTO_METHOD("RecoverLoader"),
		METHOD_CHANGES | METHOD_DESCRIPTOR,
		{ { "slot", PARAM_STRING, REQUIRED },
		  { "source_name", PARAM_STRING, REQUIRED },
		  { "source_sha256", PARAM_STRING, REQUIRED },
		  { "force", PARAM_BOOL, OPTIONAL } } },
	[STATION_BACKUP] = { PROTO_METHOD("Backup"), METHOD_CHANGES | METHOD_DESCRIPTOR,
		{ { "slot", PARAM_STRING, REQUIRED }, { "whole", PARAM_BOOL, OPTIONAL } } },
	[STATION_GET_HEALTH] = { PROTO_METHOD("GetHealth"), 0, { { NULL, 0, 0 } } },
	[STATION_GET_CONFIG] = { PROTO_METHOD("GetConfig"), 0, { { NULL, 0, 0 } } },
	[STATION_PLAN] = { PROTO_METHOD("Plan"), 0,
		{ { "target", PARAM_STRING, OPTIONAL },
		  { "with", PARAM_STRING, OPTIONAL },
		  { "platform", PARAM_STRING, OPTIONAL } } },
	[STATION_CHECK_RECORDS] = { PROTO_METHOD("CheckRecords"),
				    METHOD_CHANGES,
				    { { NULL, 0, 0 } } },
};

/* Made from include/cfdfu/org.cfdfu.Station.varlink when building. */
const char station_description[] =
#include "ctl/station_text.h"
	;
