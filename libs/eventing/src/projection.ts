import { definitionOf, type EventType, type RecordedEvent, type Topic } from '@grantlog/contracts'
import { categoryOf } from './decider.js'
import { HandlerFailed } from './errors.js'
import { readModelComment } from './table-beside.js'

/** A row of a read model: plain JSON values, one per column. */
export type Row = object

/** What one kind of event does to the row that it concerns. Pure: the same events give the same rows, byte for byte. */
export interface Handler<R extends Row, Type extends EventType> {
  /** The categories of streams in which such events concern no row; left out: none. */
  readonly passes?: readonly string[]
  /** The key of the row, or undefined when this event concerns none. */
  key(event: RecordedEvent<Type>): string | undefined
  /** The row after the event; undefined when there is none any more. */
  row(row: R | undefined, event: RecordedEvent<Type>): R | undefined
}

/**
 * A read model: a table whose rows are folded from events. The keys of `on` are its subscription; nothing else names the
 * events that it reads.
 */
export interface Projection {
  /** `service.noun.vN`: another shape is another version, filled beside this one. */
  readonly name: string
  /** A wrong answer would let somebody in: an event that can not be applied stops it, and readiness says so. */
  readonly security: boolean
  readonly table: string
  /** Read far more often than written: each instance keeps in memory what it has read, and whoever writes tells them. */
  readonly keptInMemory?: boolean
  /** The column that names a row. */
  readonly key: string
  /** Column → Postgres type. */
  readonly columns: Readonly<Record<string, string>>
  readonly on: { readonly [Type in EventType]?: Handler<Row, Type> }
}

/** A projection whose columns are known by their names. */
export interface ProjectionOf<R extends Row> extends Projection {
  readonly key: keyof R & string
  readonly columns: { readonly [Column in keyof R & string]: string }
  readonly on: { readonly [Type in EventType]?: Handler<R, Type> }
}

export function defineProjection<R extends Row>(projection: ProjectionOf<R>): ProjectionOf<R> {
  return projection
}

/** The statements that create the projection's table, for a migration. */
export function createProjectionTable(projection: Projection): string {
  const columns = Object.entries(projection.columns).map(([column, type]) => `${column} ${type}`)
  return `create table ${projection.table} (${columns.join(', ')}, primary key (${projection.key}));
    comment on table ${projection.table} is '${readModelComment}'`
}

export function topicsOf(projection: Projection): Topic[] {
  return [...new Set((Object.keys(projection.on) as EventType[]).map(type => definitionOf(type).topic))]
}

/** Whether events of a type in streams of a category may concern a row. */
export function concerns(projection: Projection, type: EventType, category: string): boolean {
  const handler = projection.on[type]
  return handler !== undefined && handler.passes?.includes(category) !== true
}

/** The key of the row that an event concerns, or undefined when it concerns none. */
export function keyOf(projection: Projection, event: RecordedEvent): string | undefined {
  const handler = handlerOf(projection, event)
  return handler?.passes?.includes(categoryOf(event.streamId)) ? undefined : handler?.key(event)
}

/**
 * Folds events, in order, into the rows they concern. `rows` is changed: a key without a row is one that was removed.
 * @throws HandlerFailed naming the event
 */
export function fold(
  projection: Projection,
  rows: Map<string, Row | undefined>,
  events: readonly RecordedEvent[],
): void {
  for (const event of events) {
    const key = keyOf(projection, event)
    if (key === undefined) continue
    try {
      rows.set(key, handlerOf(projection, event)?.row(rows.get(key), event))
    } catch (error) {
      throw new HandlerFailed(event, error)
    }
  }
}

function handlerOf(projection: Projection, event: RecordedEvent): Handler<Row, EventType> | undefined {
  return projection.on[event.type] as Handler<Row, EventType> | undefined
}
