import type { Append } from './append.js'
import type { Bars } from './bars.js'
import { binaryArray } from './binary-array.js'
import { appendedChannel } from './tables.js'

/**
 * How a batch claims the rows of its streams: of those that begin, and of those that go on. Any that has another version stays as it is. A
 * plan that is made while there are few streams is kept while they grow: an equality could be planned as a reading of all of them.
 */
const claims = {
  begun: `
    insert into streams (stream_id, base, version, state, state_tag, ends_at, deadline)
    select stream_id, base, version, state, state_tag, ends_at, deadline from wanted where base = 0
    on conflict do nothing
    returning stream_id, version - base as events`,
  continued: `
    update streams s
    set base = w.base, version = w.version, state = coalesce(w.state, s.state), state_tag = coalesce(w.state_tag, s.state_tag),
      ends_at = w.ends_at,
      deadline = case when w.deadline is not null then least(s.deadline, w.deadline) end
    from wanted w where s.stream_id = any (array[w.stream_id]) and s.version = w.base
    returning s.stream_id, w.version - w.base as events`,
}

/** What the appends say of their streams. The arrays are unnested in a list: in `from` each would first be written to a table of its own. */
const given = `
    select unnest($1::text[]) as stream_id, unnest($2::int[]) as base, unnest($3::int[]) as version, unnest($4::json[]) as state,
      unnest($5::text[]) as state_tag, unnest($6::bigint[]) as ends_at, unnest($7::bigint[]) as deadline`

/**
 * The streams whose appends are barred. The rows that bear any of the names are looked for first, and most often there is none: a plan that
 * began with the names would look for each of them, again and again for those that many appends have in common.
 */
const barred = ({ table, key, until }: Bars) => `
        select ($1::text[])[b.place] from ${table} r cross join lateral (
          select place from unnest($19::text[], $20::int[]) as n (name, place)
          where name = r.${key} and (r.${until} is null or r.${until} >= ($21::bigint[])[place]) offset 0
        ) b
        where r.${key} = any ($19::text[])`

// The rows of the streams are claimed before a number is drawn for any event; where all were, nobody looks which. The events are numbered in
// the order in which they come. From the update of `log_end` to the end of the commit no other append draws a number: so all that is seen is
// what was committed before, without a gap. Each step of a statement costs its start at each batch: so it has those that it needs, and
// sorts nothing.
const appendStatement = (kinds: readonly (keyof typeof claims)[], bars?: Bars) => ({
  name: ['append', ...kinds, ...(bars ? ['unless-barred'] : [])].join('-'),
  text: `
  with wanted as (${bars ? `select * from (${given}) w where stream_id <> all (array(${barred(bars)}))` : given}
  ), ${kinds.map(kind => `${kind} as (${claims[kind]}\n  )`).join(', ')}, claimed as (
    ${kinds.map(kind => `select * from ${kind}`).join(' union all ')}
  ), counted as (
    select sum(events) as events from claimed
  ), numbered as (
    update log_end l set last_seq = l.last_seq + c.events, xid = pg_current_xact_id()
    from (select events, case when $18::text is not null then pg_notify('${appendedChannel}', $18) end from counted) c where c.events > 0
    returning l.last_seq - c.events as before
  ), fresh as (
    select e.*, row_number() over () as place
    from (
      select unnest($8::text[]) as stream_id, unnest($9::int[]) as stream_version, unnest($10::uuid[]) as event_id,
        unnest($11::text[]) as type, unnest($12::json[]) as data, unnest($13::json[]) as internal, unnest($14::text[]) as actor_type,
        unnest($15::text[]) as actor_id, unnest($16::text[]) as traceparent, unnest($17::timestamptz[]) as time
    ) e
    where (select events from counted) = cardinality($8::text[]) or e.stream_id in (select stream_id from claimed)
  ), stored as (
    insert into events (log_seq, stream_id, stream_version, event_id, type, data, internal, actor_type, actor_id, traceparent, time)
    select (select before from numbered) + place, stream_id, stream_version, event_id, type, data, internal, actor_type, actor_id, traceparent, time
    from fresh
  )
  select before, case when events < cardinality($8::text[]) then array(select stream_id from claimed) end as claimed
  from numbered, counted`,
})

const appendStatements = (bars?: Bars) => ({
  begun: appendStatement(['begun'], bars),
  continued: appendStatement(['continued'], bars),
  both: appendStatement(['begun', 'continued'], bars),
})

/** What the statement answers: one row, or none where nothing was stored. */
export interface Stored {
  /** The number before that of the first event. */
  readonly before: string
  /** The streams whose appends were stored; null: all of them. */
  readonly claimed: readonly string[] | null
}

/** The prepared statements that store batches: they answer `Stored`. */
export class AppendStatements {
  readonly #plain = appendStatements()
  readonly #unlessBarred: ReturnType<typeof appendStatements> | undefined

  constructor(bars: Bars | undefined) {
    this.#unlessBarred = bars && appendStatements(bars)
  }

  /** @param kinds what to tell listeners, as `appendedChannel` has it; null: nothing */
  query(appends: readonly Append[], kinds: string | null) {
    const barrable = this.#unlessBarred !== undefined && appends.some(({ unlessBarred }) => unlessBarred)
    const statements = barrable ? this.#unlessBarred : this.#plain
    const begun = appends.filter(({ base }) => base === 0).length
    const kind = begun === 0 ? 'continued' : begun === appends.length ? 'begun' : 'both'
    const values = [...parameters(appends), kinds, ...(barrable ? barrables(appends) : [])]
    return { ...statements[kind], values }
  }
}

/** The events of an append, each with its place. */
export function placed({ streamId, base, events }: Append) {
  return events.map((event, index) => ({ ...event, streamId, version: base + index + 1 }))
}

function parameters(appends: readonly Append[]): unknown[] {
  const events = appends.flatMap(placed)
  const { text, json, int4, int8, uuid, timestamptz } = binaryArray
  return [
    text(appends.map(append => append.streamId)),
    int4(appends.map(append => append.base)),
    int4(appends.map(append => append.base + append.events.length)),
    json(appends.map(({ state, stateTag }) => (stateTag === null ? null : JSON.stringify(state)))),
    text(appends.map(append => append.stateTag)),
    int8(appends.map(append => append.endsAt ?? null)),
    int8(appends.map(append => append.deadline ?? null)),
    text(events.map(event => event.streamId)),
    int4(events.map(event => event.version)),
    uuid(events.map(event => event.id)),
    text(events.map(event => event.type)),
    json(events.map(event => event.data)),
    json(events.map(event => event.internal)),
    text(events.map(event => event.actor.type)),
    text(events.map(event => event.actor.id)),
    text(events.map(event => event.traceparent)),
    timestamptz(events.map(event => event.time)),
  ]
}

/** The names, the place of each one’s append, and when what each append concerns began. */
function barrables(appends: readonly Append[]): unknown[] {
  const names = appends.flatMap(({ unlessBarred }, index) =>
    (unlessBarred?.keys ?? []).map(name => ({ name, place: index + 1 })),
  )
  const { text, int4, int8 } = binaryArray
  return [
    text(names.map(({ name }) => name)),
    int4(names.map(({ place }) => place)),
    int8(appends.map(({ unlessBarred }) => unlessBarred?.since ?? null)),
  ]
}
