import type { Settings } from '../../platform/clickhouse/clickhouse.js';

const MEBIBYTE = 1024 * 1024;

/** What a statement may use, beside the memory and the time of every question. */
export const LIMITS: Settings = {
  max_threads: 2,
  // Cancelled and late statements end between two blocks.
  max_block_size: 8192,
  max_result_bytes: 16 * MEBIBYTE,
  max_temporary_data_on_disk_size_for_query: 64 * MEBIBYTE,
  max_parser_depth: 300,
  max_ast_depth: 300,
  max_ast_elements: 10_000,
  max_expanded_ast_elements: 20_000,
  max_subquery_depth: 30,
  function_range_max_elements_in_block: 10_000_000,
};

/** Settings that versions before the newest ones do not have. */
export const LIMITS_OF_NEW_VERSIONS: Settings = {
  // Grouping and sorting would go on on the disk.
  max_bytes_ratio_before_external_group_by: 0,
  max_bytes_ratio_before_external_sort: 0,
  // PREWHERE is a barrier: see QueryRepository.
  optimize_prewhere_after_pushdown: 0,
};

/** What keeps a statement in its place, and the form of its answer. `readonly` forbids it to change any of them. */
export const SANDBOX: Settings = {
  // The scope of `events` relies on the analyzer.
  enable_analyzer: 1,
  enable_global_with_statement: 1,
  allow_ddl: 0,
  allow_introspection_functions: 0,
  // Integers and JSON are numbers with all their digits. What JSON has no numbers for is a text.
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_decimals: 1,
  output_format_json_quote_denormals: 1,
  output_format_json_validate_utf8: 1,
  output_format_json_escape_forward_slashes: 0,
  // A value of a path may have any type, and everybody groups by it.
  allow_suspicious_types_in_group_by: 1,
  allow_suspicious_types_in_order_by: 1,
  readonly: 1,
};
