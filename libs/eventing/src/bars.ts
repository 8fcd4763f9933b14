/**
 * A read model whose rows keep events from being stored: each bars whatever is named by its key and began at `until` or before; where
 * `until` is null, whatever is named by it. The names are those of its table and columns.
 */
export interface Bars {
  readonly table: string
  readonly key: string
  readonly until: string
}

/** What can be barred: each name that it goes by, and when it began, in the unit of `until`. */
export interface Barrable {
  readonly keys: readonly string[]
  readonly since: number
}
