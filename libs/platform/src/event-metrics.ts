import type { Eventing, Measures } from '@grantlog/eventing'
import { Counter, Gauge, type Registry } from 'prom-client'

type Sample = readonly [value: number, labels?: Readonly<Record<string, string>>]

/** Each measure of a service's events: its name, what it says, and how it is read. Labels are the catalogue's own names. */
const measured: readonly {
  readonly kind: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  readonly read: (measures: Measures) => readonly Sample[]
}[] = [
  {
    kind: 'counter',
    name: 'grantlog_appends_total',
    help: 'Appends stored by this process.',
    read: ({ appends }) => [[appends.appends]],
  },
  {
    kind: 'counter',
    name: 'grantlog_append_events_total',
    help: 'Events stored by this process.',
    read: ({ appends }) => [[appends.events]],
  },
  {
    kind: 'counter',
    name: 'grantlog_append_batches_total',
    help: 'Commits that stored them: appends divided by batches is the size of a group commit.',
    read: ({ appends }) => [[appends.batches]],
  },
  {
    kind: 'counter',
    name: 'grantlog_appends_refused_total',
    help: 'Appends refused with 503, since too many waited already.',
    read: ({ appends }) => [[appends.refused]],
  },
  {
    kind: 'gauge',
    name: 'grantlog_appends_pending',
    help: 'Appends that wait for the database.',
    read: ({ appends }) => [[appends.pending]],
  },
  {
    kind: 'gauge',
    name: 'grantlog_log_numbered',
    help: 'The last number of the log. Only the instance that owns the log tells.',
    read: ({ log }) => (log ? [[log.numbered]] : []),
  },
  {
    kind: 'gauge',
    name: 'grantlog_log_published',
    help: 'The last number that was published. Only the instance that owns the log tells.',
    read: ({ log }) => (log?.published === undefined ? [] : [[log.published]]),
  },
  {
    kind: 'gauge',
    name: 'grantlog_projection_waiting',
    help: 'What waits to be applied, by source or topic:partition, in the transport’s own count (heartbeats count).',
    labels: ['projection', 'place'],
    read: ({ projections }) =>
      projections.flatMap(({ name, waiting }) =>
        [...waiting].map(([place, count]): Sample => [count, { projection: name, place }]),
      ),
  },
  {
    kind: 'gauge',
    name: 'grantlog_projection_lag_seconds',
    help: 'How old the last applied event is while others wait behind it.',
    labels: ['projection'],
    read: each(({ lagSeconds }) => lagSeconds),
  },
  {
    kind: 'gauge',
    name: 'grantlog_projection_parked_keys',
    help: 'Keys with an event that could not be applied.',
    labels: ['projection'],
    read: each(({ parkedKeys }) => parkedKeys),
  },
  {
    kind: 'gauge',
    name: 'grantlog_projection_stopped',
    help: '1 while something keeps it from going on.',
    labels: ['projection'],
    read: each(({ trouble }) => (trouble === undefined ? 0 : 1)),
  },
  {
    kind: 'counter',
    name: 'grantlog_projection_events_total',
    help: 'Events that this process applied.',
    labels: ['projection'],
    read: each(({ applied }) => applied.events),
  },
  {
    kind: 'counter',
    name: 'grantlog_projection_batches_total',
    help: 'Transactions that applied them.',
    labels: ['projection'],
    read: each(({ applied }) => applied.batches),
  },
]

/** Makes what a service measures of its events part of what it tells on `/metrics`. */
export function measureEvents(registry: Registry, eventing: Eventing): void {
  let reading: Promise<Measures | undefined> | undefined
  // one reading for all measures of a scrape; a database that is away must not hide everything else
  const measures = () => {
    reading ??= eventing
      .measures()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  for (const { kind, name, help, labels: labelNames = [], read } of measured) {
    const collect = async (metric: Gauge | Counter) => {
      const found = await measures()
      metric.reset()
      if (labelNames.length === 0) metric.remove()
      for (const [value, labels = {}] of found ? read(found) : []) metric.inc(labels, value)
    }
    const options = { name, help, labelNames: [...labelNames], registers: [registry] }
    if (kind === 'gauge')
      new Gauge({
        ...options,
        collect() {
          return collect(this)
        },
      })
    else
      new Counter({
        ...options,
        collect() {
          return collect(this)
        },
      })
  }
}

/** One sample per projection. */
function each(read: (projection: Measures['projections'][number]) => number) {
  return ({ projections }: Measures) =>
    projections.map((projection): Sample => [read(projection), { projection: projection.name }])
}
