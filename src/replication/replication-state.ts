export type BatchKind = 'stored' | 'removed' | 'emptied' | 'filled' | 'completed';

/** The row of replication_state. */
export interface ReplicationState {
  readonly source: string;
  /** The copy that answers questions; null until the first is complete. */
  readonly copy: string | null;
  readonly copy_schema: string | null;
  /** The copy that is being made. */
  readonly next_copy: string | null;
  readonly next_schema: string | null;
  /** Number of the last batch. */
  readonly batch: string;
  /** Kind of the batch in flight; null if there is none. */
  readonly batch_kind: BatchKind | null;
  /** The entries of the log that it copies; null if it copies none. */
  readonly batch_seqs: string[] | null;
  /** The copy that an `emptied` or `completed` batch puts in place. */
  readonly batch_copy: string | null;
}

/** Beside the state, whether there is anything to do. */
export interface ReplicationOverview extends ReplicationState {
  readonly has_entries: boolean;
}
