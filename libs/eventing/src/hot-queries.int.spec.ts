import { eventually } from '@grantlog/testing'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import pg from 'pg'
import { Connection } from './connection.js'
import type { Decider, NewEvent } from './decider.js'
import { Eventing } from './eventing.js'
import { createProjectionTable } from './projection.js'
import { aLog, anAppend, anId, type LogDatabase, operator, suspended } from './specs/a-log.js'
import { suspensions } from './specs/a-projection.js'
import { EmbeddedTransport } from './transport/embedded.js'

/**
 * What runs for every event must cost the same however long the log is. The statements are those that the engine sends: they are
 * recorded while it appends, publishes, projects and answers, then planned for parameters of any value, as a prepared
 * statement is, on tables with many rows.
 */
const growing = /^(events_\w+|streams|parked|projection_requests|suspensions)$/
/** Of these, the ones that hold rows when the plans are made: in an empty one, any index is as good. */
const filled = /^(events_1|streams|parked|projection_requests|suspensions)$/

/**
 * Every statement that must be among the recorded, by what it is for. `sorts` is what it may sort: the batch at hand, or the
 * events of the one stream that it reads; never a table.
 */
const hot: Record<string, { text: RegExp; sorts?: RegExp }> = {
  'append to streams that begin': { text: /claimed as \(\s+select \* from begun\s+\)/ },
  'append to streams that go on': { text: /claimed as \(\s+select \* from continued\s+\)/ },
  'append to streams of either kind': { text: /from begun union all select \* from continued/ },
  'append unless barred': { text: /from suspensions r cross join lateral/ },
  'recognise a retry': { text: /where e\.event_id = w\.event_id/ },
  'head of a stream': { text: /from streams s where stream_id = any/, sorts: /^e\.stream_version$/ },
  'events of a stream': { text: /from events\s+where stream_id = \$1/, sorts: /^(events\.)?stream_version$/ },
  'end of the log': { text: /select last_seq from log_end/ },
  'read the log': { text: /^select[^(]*\(e\.time at time zone 'UTC'\).* from events e where/s },
  'read some of the log': { text: /max\(log_seq\) as up_to/ },
  'load the publisher': { text: /from publisher/ },
  'save the publisher': { text: /insert into published/ },
  'take the projection': { text: /from projections where name/ },
  'read the checkpoint': { text: /left join checkpoints/ },
  'advance the checkpoint': { text: /insert into checkpoints/ },
  'rows concerned': { text: /to_json\(t\) as row from suspensions/ },
  'write rows': { text: /insert into suspensions/ },
  'remove rows': { text: /delete from suspensions/ },
  'was it applied': { text: /from checkpoints c/ },
  'begin at a time': { text: /min\(log_seq\) - 1/ },
  'what time has brought': { text: /where deadline <= / },
  'look again later': { text: /set deadline = l\.deadline/ },
  'is anything asked': { text: /update projection_requests/ },
}

const recorded = new Set<string>()
let log: LogDatabase
let plans: Map<string, PlanNode[]>
let plansWhenEmpty: Map<string, PlanNode[]>

/** A connection that remembers what it is asked. */
class Recording extends Connection {
  constructor(config?: pg.ClientConfig) {
    super(config)
    const query: (...args: unknown[]) => unknown = this.query.bind(this)
    const record = (...args: unknown[]) => {
      const [asked] = args
      recorded.add(typeof asked === 'string' ? asked : String(Reflect.get(Object(asked), 'text')))
      return query(...args)
    }
    Object.assign(this, { query: record })
  }
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Sort Key'?: readonly string[]
  readonly 'Index Cond'?: string
  readonly Plans?: readonly PlanNode[]
}

beforeAll(async () => {
  log = await aLog('hot')
  await log.pool.query(createProjectionTable(suspensions()))
  await letItRun()
  await log.pool.query('delete from streams')
  await log.pool.query('delete from suspensions')
  await log.pool.query('vacuum analyze streams, suspensions')
  plansWhenEmpty = new Map()
  for (const text of recorded)
    if (/insert into events/.test(text)) plansWhenEmpty.set(text, await planOf(text))
  await log.pool.query(manyRows)
  plans = new Map()
  for (const text of recorded) if (isPlanned(text)) plans.set(text, await planOf(text))
})
afterAll(() => log.drop())

it('all of the hot statements were recorded', () => {
  const missing = Object.entries(hot).filter(
    ([, { text }]) => ![...plans.keys()].some(sent => text.test(sent)),
  )
  expect(missing.map(([name]) => name)).toEqual([])
})

it('no statement reads all of a table that grows', () => {
  const scans = [...plans].flatMap(([text, nodes]) =>
    nodes
      .filter(node => /Seq Scan/.test(node['Node Type']) && growing.test(node['Relation Name'] ?? ''))
      .map(node => `${node['Relation Name']}: ${text}`),
  )
  expect(scans).toEqual([])
})

it('no statement reads all of an index of a table that grows, but to stop after so many', () => {
  const scans = [...plans].flatMap(([text, nodes]) =>
    nodes
      .filter(node => /Index/.test(node['Node Type']) && filled.test(node['Relation Name'] ?? ''))
      .filter(node => node['Index Cond'] === undefined)
      .map(node => `${node['Relation Name']}: ${text}`),
  )
  expect(scans).toEqual([])
})

it('no statement sorts, but for the batch at hand where its order is the point', () => {
  const sorts = [...plans].flatMap(([text, nodes]) => {
    const allowed = Object.values(hot).find(each => each.text.test(text))?.sorts
    return nodes
      .filter(node => /Sort/.test(node['Node Type']))
      .map(node => (node['Sort Key'] ?? []).join())
      .filter(key => !allowed?.test(key))
      .map(key => `${key}: ${text}`)
  })
  expect(sorts).toEqual([])
})

it('an append looks streams and bars up one by one also where it was planned before there were any: the plan is kept while they grow', () => {
  const named: Record<string, string> = { streams: 'stream_id', suspensions: 'client_id' }
  expect(plansWhenEmpty.size).toBe(6)
  for (const nodes of plansWhenEmpty.values())
    for (const node of nodes) {
      const name = named[node['Relation Name'] ?? '']
      if (name === undefined || node['Node Type'] === 'ModifyTable') continue
      expect(node['Index Cond']).toContain(`${name} = ANY`)
    }
})

const client: Decider<{ clientId: string; reason: string }, NewEvent, { times: number }> = {
  category: 'client',
  initial: { times: 0 },
  decide: ({ clientId, reason }) =>
    reason === 'time'
      ? []
      : reason === 'forgotten'
        ? [{ type: 'client.reinstated', data: { clientId } }]
        : [suspended(clientId, reason)],
  evolve: ({ times }) => ({ times: times + 1 }),
  deadline: { at: () => 1, command: clientId => ({ clientId, reason: 'time' }) },
}

/** A service that does all that a service does with events, once. */
async function letItRun(): Promise<void> {
  const pool = log.another({ Client: Recording })
  const sent: string[] = []
  const eventing = new Eventing({
    pool,
    service: 'clients',
    projections: [suspensions()],
    deciders: [client],
    bars: { table: 'suspensions', key: 'client_id', until: 'last' },
    remote: new EmbeddedTransport({}),
    sink: {
      send: async messages => void sent.push(...messages.map(({ value }) => value)),
      close: async () => undefined,
    },
    report: () => undefined,
    now: () => new Date(),
  })
  eventing.start()
  const clientId = anId()
  const run = (reason: string) =>
    eventing.commands.run(client, clientId, { clientId, reason }, { actor: operator })
  for (const reason of ['a', 'b', 'c']) await eventing.applied(suspensions(), await run(reason))
  await eventing.applied(suspensions(), await run('forgotten'))
  const [event] = await eventing.store.read(`client-${clientId}`)
  const retried = eventing.store.prepare([{ ...suspended(clientId, 'a'), id: event?.id ?? '' }], {
    actor: operator,
    time: new Date(),
  })
  await eventing.store.append({
    streamId: `client-${clientId}`,
    base: 0,
    events: retried,
    state: {},
    stateTag: 'spec',
  })
  for (const unlessBarred of [undefined, { keys: ['nobody'], since: 0 }]) {
    const once = (id: string, base: number) =>
      eventing.store.append({ ...anAppend(eventing.store, id, base), unlessBarred })
    const goesOn = anId()
    await once(goesOn, 0)
    await once(goesOn, 1)
    expect(await Promise.all([once(goesOn, 2), once(anId(), 0)])).not.toContain('conflict')
  }
  const beginnings = [{ lastSeq: {}, nextOffset: null }, { at: new Date() }]
  const following = await Promise.all(
    beginnings.map(begin =>
      eventing.follow({
        name: 'spec',
        topics: ['clients'],
        begin: () => begin,
        deliver: async () => undefined,
        alive: () => undefined,
      }),
    ),
  )
  await eventually(() => expect(sent.length).toBeGreaterThanOrEqual(4))
  await eventually(() => expect([...recorded].some(text => /min\(log_seq\) - 1/.test(text))).toBe(true))
  await eventually(() => expect([...recorded].some(text => /set deadline/.test(text))).toBe(true))
  await Promise.all(following.map(each => each.stop()))
  await eventing.stop()
}

const isPlanned = (text: string) => /^\s*(select|insert|update|delete|with)\b/i.test(text)

/** The nodes of the plan for whatever parameters. */
async function planOf(text: string): Promise<PlanNode[]> {
  const { rows } = await log.pool.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `explain (generic_plan, format json) ${text}`,
  )
  return rows.flatMap(row => row['QUERY PLAN'].flatMap(({ Plan }) => nodesOf(Plan)))
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

/** Twenty thousand events in two thousand streams. */
const manyRows = `
  insert into streams (stream_id, base, version, state, state_tag, deadline)
  select 'client-' || s, 9, 10, '{}', 'spec', s from generate_series(1, 2000) s;
  insert into events (log_seq, stream_id, stream_version, event_id, type, data, actor_type, actor_id, time)
  select 100 + n, 'client-' || (1 + n % 2000), 100 + n / 2000, gen_random_uuid(), 'client.suspended.v1', '{}', 'operator', 'spec', now()
  from generate_series(1, 20000) n;
  insert into suspensions (client_id, times, reason, last) select 'client-' || n, 1, 'spec', n from generate_series(1, 20000) n;
  insert into checkpoints (projection, topic, partition) select 'spec', 'clients', n from generate_series(1, 12) n;
  insert into projection_requests (projection, action, ok) select 'spec', 'compare', true from generate_series(1, 2000) n;
  insert into parked (projection, key, event) select 'spec', n, '{}' from generate_series(1, 2000) n;
  analyze;
`
