package catalog

import "strings"

// vetted are the stable functions of PostgreSQL that depend on their arguments and on
// settings that are part of a key's scope (TimeZone, DateStyle …), in each of their
// overloads. Those that turn a text into a time are not among them: 'today' is a time.
var vetted = set(`
	array_to_json array_to_string concat concat_ws convert convert_from convert_to
	date_part date_trunc extract enum_first enum_last enum_range format
	generate_series json_agg json_build_array json_build_object json_object_agg
	jsonb_agg jsonb_build_array jsonb_build_object jsonb_object_agg
	jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_array_tz
	jsonb_path_query_first_tz jsonb_path_query_tz length make_timestamptz numeric
	overlaps pg_typeof quote_literal quote_nullable row_to_json timezone to_char
	to_date to_json to_jsonb to_number to_timestamp`)

// harmless are the volatile functions of PostgreSQL that change no row of a table and
// nothing that later results depend on. What they return is not cacheable.
var harmless = set(`
	bernoulli clock_timestamp current_query currval gen_random_uuid lastval nextval
	pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock
	pg_advisory_unlock_all pg_advisory_unlock_shared pg_advisory_xact_lock
	pg_advisory_xact_lock_shared pg_blocking_pids pg_cancel_backend
	pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn
	pg_database_size pg_export_snapshot pg_indexes_size pg_is_in_recovery
	pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp
	pg_lock_status pg_logical_emit_message pg_notification_queue_usage pg_notify
	pg_partition_ancestors pg_partition_tree pg_relation_size
	pg_sequence_last_value pg_sleep pg_sleep_for pg_sleep_until pg_table_size
	pg_terminate_backend pg_total_relation_size pg_try_advisory_lock
	pg_try_advisory_lock_shared pg_try_advisory_xact_lock
	pg_try_advisory_xact_lock_shared pg_xact_status random setseed setval system
	timeofday txid_status`)

// harmlessExtension are volatile functions in C that well-known extensions bring: they
// make up values and change nothing.
var harmlessExtension = set(`
	gen_random_bytes gen_random_uuid gen_salt uuid_generate_v1 uuid_generate_v1mc
	uuid_generate_v4`)

// grammar are what looks like functions and is part of the language.
var grammar = set(`
	all any array cast coalesce collation exists greatest grouping least normalize
	nullif row some treat trim xmlattributes xmlconcat xmlelement xmlexists xmlforest
	xmlparse xmlpi xmlroot xmlserialize`)

// localTriggers are the trigger functions of PostgreSQL and its extensions that change
// nothing but the row.
var localTriggers = set(`
	moddatetime suppress_redundant_updates_trigger tsvector_update_trigger
	tsvector_update_trigger_column`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
